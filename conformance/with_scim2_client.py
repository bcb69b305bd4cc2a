"""The life of people and groups with scim2-client, which holds every answer against the schemas it was told."""

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import (
    BulkOperation, BulkRequest, PatchOp, PatchOperation, Path, ResponseParameters, SCIMException, SearchRequest,
)

from report import SCENE, check, refused, same

authorization = {"Authorization": f"Bearer {SCENE['scim_token']}"}
client = SyncSCIMClient(Client(base_url=SCENE["scim"], headers=authorization, timeout=30))

with check("discover"):
    client.discover()
    same(sorted(one.name for one in client.provider.resource_types), ["Group", "User"])

User = client.get_resource_model("User")
Group = client.get_resource_model("Group")
Enterprise = User.get_extension_model("EnterpriseUser")


def patch(model, *operations):
    """A PATCH document of (op, path, value)."""
    return PatchOp[model](operations=[
        PatchOperation[model](op=op, path=Path[model](path), value=value) for op, path, value in operations
    ])


with check("create a user with an extension"):
    ann = User(user_name="ann@example.org", active=True, title="Dr")
    ann.name = User.Name(given_name="Ann", family_name="Archer")
    ann.emails = [User.Emails(value="ann@example.org", type="work", primary=True)]
    ann[Enterprise] = Enterprise(department="Research", employee_number="7")
    ann = client.create(ann)
    same((ann.user_name, ann[Enterprise].department, ann.active), ("ann@example.org", "Research", True))

with check("a user name is given once"):
    error = refused(lambda: client.create(User(user_name="ANN@example.org")), SCIMException)
    same((error.status, error.scim_type), (409, "uniqueness"))

with check("read a user"):
    same(client.query(User, ann.id).model_dump(), ann.model_dump())

with check("read some attributes only"):
    shown = client.query(User, ann.id, query_parameters=ResponseParameters(attributes=["userName"]))
    same((shown.user_name, shown.name, shown.emails), ("ann@example.org", None, None))

with check("read without some attributes"):
    shown = client.query(User, ann.id, query_parameters=ResponseParameters(excluded_attributes=["emails"]))
    same((shown.user_name, shown.emails), ("ann@example.org", None))

with check("replace a user"):
    ann.title = None
    ann.nick_name = "Annie"
    ann = client.replace(ann)
    same((ann.title, ann.nick_name), (None, "Annie"))

with check("modify a user: replace, add, remove"):
    document = patch(
        User,
        ("replace", "active", False),
        ("replace", 'emails[type eq "work"].value', "a.archer@example.org"),
        ("add", "name.middleName", "Bea"),
        ("remove", "nickName", None),
    )
    client.modify(User, ann.id, document)
    now = client.query(User, ann.id)
    same((now.active, now.emails[0].value, now.name.middle_name, now.nick_name),
         (False, "a.archer@example.org", "Bea", None))

with check("modify an attribute of an extension"):
    path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"
    client.modify(User, ann.id, patch(User, ("replace", path, "Sales")))
    same(client.query(User, ann.id)[Enterprise].department, "Sales")

with check("a group with members"):
    crew = client.create(Group(display_name="Crew", members=[Group.Members(value=ann.id)]))
    same([member.value for member in crew.members], [ann.id])
    same([group.value for group in client.query(User, ann.id).groups], [crew.id])

with check("remove one member by its value"):
    client.modify(Group, crew.id, patch(Group, ("remove", f'members[value eq "{ann.id}"]', None)))
    same(client.query(Group, crew.id).members or [], [])

with check("a group in a group"):
    whole = client.create(Group(display_name="Whole", members=[Group.Members(value=crew.id)]))
    same([member.type for member in whole.members], ["Group"])

with check("bulk: a user and a group that names it"):
    request = BulkRequest[User | Group](operations=[
        BulkOperation[User](method="POST", path="/Users", bulk_id="cy", data=User(user_name="cy@example.org")),
        BulkOperation[Group](method="POST", path="/Groups", bulk_id="new",
                      data=Group(display_name="New", members=[Group.Members(value="bulkId:cy")])),
    ])
    answer = client.bulk(request)
    same([str(one.status) for one in answer.operations], ["201", "201"])

with check("filter, sort and pages"):
    for number in range(5):
        client.create(User(user_name=f"page{number}@example.org"))
    wanted = [f"page{number}@example.org" for number in (4, 3, 2, 1, 0)]
    found = []
    for start in (1, 3, 5):
        page = client.query(User, query_parameters=SearchRequest(
            filter='userName sw "page"', sort_by="userName", sort_order="descending", start_index=start, count=2))
        same((page.total_results, page.start_index), (5, start))
        found += [user.user_name for user in page.resources]
    same(found, wanted)

with check("a filter that finds nobody"):
    same(client.query(User, query_parameters=SearchRequest(filter='userName eq "nobody"')).total_results, 0)

with check("a filter that is none"):
    asked = {"filter": "userName eq"}
    error = refused(
        lambda: client.query(User, query_parameters=asked, check_request_payload=False), SCIMException)
    same((error.status, error.scim_type), (400, "invalidFilter"))

with check("search everything at once"):
    found = client.search(SearchRequest(filter='userName eq "cy@example.org" or displayName eq "New"'))
    same(sorted(one.meta.resource_type for one in found.resources), ["Group", "User"])

with check("delete"):
    client.delete(User, ann.id)
    client.delete(Group, whole.id)
    same(refused(lambda: client.query(User, ann.id), SCIMException).status, 404)

"""The user management of the class `Crowd` of atlassian-python-api."""

from atlassian import Crowd
from requests import HTTPError

from report import SCENE, check, refused, same

PASSWORD = SCENE["password"]
ZOE = "zoë.o'neil+x@example.org"


def client(application):
    login = SCENE[application]
    return Crowd(url=SCENE["crowd"], username=login["name"], password=login["password"], api_version="1", timeout=30)


writer, reader = client("writer"), client("reader")


def attributes(answer):
    return {one["name"]: one["values"] for one in answer["attributes"]}


def names(answer):
    return sorted(answer)


with check("user"):
    same(writer.user(ZOE)["last-name"], "O'Neil")
    refused(lambda: writer.user("nobody"), HTTPError)
with check("user_authenticate"):
    same(writer.user_authenticate("ann", PASSWORD)["display-name"], "Ann Archer")
    refused(lambda: writer.user_authenticate("ann", "wrong"), HTTPError)
with check("user_authentication_notify"):
    same(writer.user_authentication_notify("ann")["name"], "ann")
with check("user_groups, nested_user_groups"):
    same((writer.user_groups("ann"), names(writer.nested_user_groups("ann"))),
         (["R&D crew"], ["Everybody", "R&D crew"]))
with check("group_members, nested_group_members"):
    same((writer.group_members("Everybody"), names(writer.nested_group_members("Everybody"))),
         (["bob"], ["ann", "bob", ZOE]))
with check("is_user_in_group"):
    same([writer.is_user_in_group("ann", "Everybody", kind) for kind in ("direct", "nested")], [False, True])
with check("group"):
    same(writer.group("R&D crew")["type"], "GROUP")
with check("group_child_groups, nested_group_child_groups"):
    same((writer.group_child_groups("Everybody"), writer.nested_group_child_groups("Everybody")),
         (["R&D crew"], ["R&D crew"]))
with check("group_parent_groups, nested_group_parent_groups"):
    same((writer.group_parent_groups("R&D crew"), writer.nested_group_parent_groups("R&D crew")),
         (["Everybody"], ["Everybody"]))
with check("memberships"):
    same(writer.memberships["Everybody"], ["bob"])
with check("search_cql"):
    same([one["name"] for one in writer.search_cql("user", 'email = "ANN@example.org"')["users"]], ["ann"])
with check("search"):
    restriction = {
        "restriction-type": "boolean-search-restriction",
        "boolean-logic": "and",
        "restrictions": [
            {"restriction-type": "property-search-restriction", "property": {"name": "active", "type": "BOOLEAN"},
             "match-mode": "EXACTLY_MATCHES", "value": "true"},
            {"restriction-type": "property-search-restriction", "property": {"name": "email", "type": "STRING"},
             "match-mode": "STARTS_WITH", "value": "zo"},
        ],
    }
    same([one["name"] for one in writer.search("user", restriction)["users"]], [ZOE])
with check("session_create, session_get, session_validate, session_delete"):
    token = writer.session_create("ann", PASSWORD)["token"]
    same((writer.session_get(token)["user"]["name"], writer.session_validate(token)["token"]), ("ann", token))
    writer.session_delete(token)
    refused(lambda: writer.session_get(token), HTTPError)
with check("session_delete_user_tokens"):
    kept = writer.session_create("ann", PASSWORD)["token"]
    writer.session_delete_user_tokens("ann", exclude=kept)
    same(writer.session_get(kept)["token"], kept)
    writer.session_delete_user_tokens("ann")
    refused(lambda: writer.session_get(kept), HTTPError)
with check("get_cookie_config, get_server_info"):
    same(("name" in writer.get_cookie_config(), "version" in writer.get_server_info()), (True, True))

with check("user_create, user_update"):
    writer.user_create("guest", True, "Gast", "Geber", "Gast Geber", "guest@example.org", "first password")
    same(writer.user("guest")["display-name"], "Gast Geber")
    writer.user_update("guest", {**writer.user("guest"), "first-name": "Gustav"})
    same(writer.user("guest")["first-name"], "Gustav")
with check("user_deactivate, user_activate"):
    writer.user_deactivate("guest")
    same(writer.user("guest")["active"], False)
    writer.user_activate("guest")
    same(writer.user("guest")["active"], True)
with check("user_update_password, user_expire_all_passwords, user_delete_password"):
    writer.user_update_password("guest", "second password")
    same(writer.user_authenticate("guest", "second password")["name"], "guest")
    writer.user_expire_all_passwords()
    refused(lambda: writer.user_authenticate("guest", "second password"), HTTPError)
    writer.user_update_password("guest", "second password")
    same(writer.user_authenticate("guest", "second password")["name"], "guest")
    writer.user_delete_password("guest")
    refused(lambda: writer.user_authenticate("guest", "second password"), HTTPError)
with check("user_store_attributes, user_attributes, user_remove_attribute"):
    writer.user_store_attributes("ann", {"attributes": [{"name": "badge", "values": ["4", "2"]}]})
    same(sorted(attributes(writer.user_attributes("ann"))["badge"]), ["2", "4"])
    writer.user_remove_attribute("ann", "badge")
    same("badge" in attributes(writer.user_attributes("ann")), False)
with check("group_create, group_update, group_delete"):
    writer.group_create("local team", "made here")
    writer.group_update("local team", {"name": "local team", "type": "GROUP", "description": "new", "active": True})
    same(writer.group("local team")["description"], "new")
    writer.group_create("passing")
    writer.group_delete("passing")
    refused(lambda: writer.group("passing"), HTTPError)
with check("group_store_attributes, group_attributes, group_remove_attribute"):
    writer.group_store_attributes("local team", {"attributes": [{"name": "floor", "values": ["3"]}]})
    same(attributes(writer.group_attributes("local team"))["floor"], ["3"])
    writer.group_remove_attribute("local team", "floor")
    same("floor" in attributes(writer.group_attributes("local team")), False)
with check("group_add_child_group, group_remove_child_group"):
    writer.group_add_child_group("local team", "R&D crew")
    same(writer.group_child_groups("local team"), ["R&D crew"])
    writer.group_remove_child_group("local team", "R&D crew")
    same(writer.group_child_groups("local team"), [])
with check("group_add_parent_group"):
    writer.group_add_parent_group("R&D crew", "local team")
    same(writer.group_child_groups("local team"), ["R&D crew"])
with check("group_add_user"):
    writer.group_add_user("ann", "local team")
    same(writer.group_members("local team"), ["ann"])
with check("group_remove_user"):
    writer.post("rest/usermanagement/1/group/user/direct", params={"groupname": "local team"}, data={"name": "ann"})
    same(writer.group_members("local team"), ["ann"])
    writer.group_remove_user("ann", "local team")
    same(writer.group_members("local team"), [])
with check("user_rename"):
    writer.user_rename("guest", "visitor")
    same(writer.user("visitor")["email"], "guest@example.org")
with check("user_delete"):
    writer.user_delete("visitor")
    refused(lambda: writer.user("visitor"), HTTPError)
with check("mail: none is sent from here"):
    refused(lambda: writer.user_request_password_reset("ann"), HTTPError)
    refused(lambda: writer.user_request_usernames_reminder("ann@example.org"), HTTPError)
with check("an application that may only read"):
    same(reader.user("ann")["name"], "ann")
    refused(lambda: reader.group_create("no"), HTTPError)
    refused(lambda: reader.user_store_attributes("ann", {"attributes": []}), HTTPError)

"""Everything that the PyPI package `crowd` (python-crowd) can do."""

from crowd import CrowdServer

from report import SCENE, check, same

PASSWORD = SCENE["password"]
ZOE = "zoë.o'neil+x@example.org"


def server(application, **changes):
    login = {**SCENE[application], **changes}
    return CrowdServer(SCENE["crowd"], login["name"], login["password"], timeout=30)


writer, reader = server("writer"), server("reader")

with check("auth_ping"):
    same((writer.auth_ping(), server("writer", password="wrong").auth_ping()), (True, False))
with check("auth_user"):
    same(writer.auth_user("ann", PASSWORD)["email"], "ann@example.org")
    same(writer.auth_user(ZOE, PASSWORD)["display-name"], "Zoë O'Neil")
with check("auth_user: wrong password, unknown, disabled"):
    same([writer.auth_user(*who) for who in (("ann", "wrong"), ("nobody", "x"), ("bob", PASSWORD))], [None] * 3)

with check("get_session, validate_session, terminate_session"):
    token = writer.get_session("ann", PASSWORD, remote="192.0.2.7", proxy="198.51.100.1")["token"]
    valid = writer.validate_session(token, remote="192.0.2.7", proxy="198.51.100.1")
    same((valid["user"]["name"], valid["token"]), ("ann", token))
    same(reader.validate_session(token, remote="192.0.2.7", proxy="198.51.100.1")["token"], token)
    same(writer.validate_session(token, remote="192.0.2.8"), None)
    same(writer.terminate_session(token), True)
    same(writer.validate_session(token, remote="192.0.2.7", proxy="198.51.100.1"), None)
with check("get_session: expanded user, wrong password"):
    session = writer.get_session("ann", PASSWORD)
    same(session["user"]["display-name"], "Ann Archer")
    same(writer.get_session("ann", "wrong"), None)
with check("get_cookie_conf"):
    same("name" in writer.get_cookie_conf(), True)

with check("get_user"):
    ann = writer.get_user("ann")
    same((ann["name"], ann["first-name"], ann["last-name"], ann["active"]), ("ann", "Ann", "Archer", True))
    same(isinstance(ann["attributes"]["attributes"], list), True)
    same(writer.get_user("nobody"), None)
with check("user_exists"):
    same((writer.user_exists(ZOE), writer.user_exists("nobody")), (True, None))
with check("get_groups, get_nested_groups"):
    same(writer.get_groups("ann"), ["R&D crew"])
    same(sorted(writer.get_nested_groups("ann")), ["Everybody", "R&D crew"])
with check("get_nested_group_users"):
    same(sorted(writer.get_nested_group_users("Everybody")), ["ann", "bob", ZOE])
with check("get_memberships"):
    memberships = writer.get_memberships()
    same(sorted(memberships["R&D crew"]["users"]), ["ann", ZOE])
    same(memberships["Everybody"], {"users": ["bob"], "groups": ["R&D crew"]})
with check("search"):
    names = lambda found: sorted(one["name"] for one in found)
    same(names(writer.search("user", "email", "NN@exam")["users"]), ["ann"])
    same(names(writer.search("group", "name", "crew")["groups"]), ["R&D crew"])
    same(names(writer.search("user", "name", "nobody")["users"]), [])
    same(len(writer.search("user", "name", "", max_results=2)["users"]), 2)

with check("create_group, update_group, remove_group"):
    same(writer.create_group("local team", "made here"), None)
    same("local team" in writer.create_group("local team"), True)
    same(writer.update_group("local team", {"description": "changed", "active": True}), None)
    same(writer.create_group("passing"), None)
    same(writer.remove_group("passing"), None)
    same("passing" in writer.remove_group("passing"), True)
with check("add_user_to_group, remove_user_from_group"):
    same(writer.add_user_to_group(ZOE, "local team"), True)
    same(writer.get_nested_group_users("local team"), [ZOE])
    same(writer.remove_user_from_group(ZOE, "local team"), True)
    same(writer.get_nested_group_users("local team"), [])
with check("add_child_group, remove_child_group"):
    same(writer.add_child_group("R&D crew", "local team"), None)
    same(sorted(writer.get_nested_group_users("local team")), ["ann", ZOE])
    same(writer.remove_child_group("R&D crew", "local team"), None)
    same(writer.get_nested_group_users("local team"), [])
with check("set_user_attribute"):
    same(writer.set_user_attribute("ann", "badge", "42"), True)
    kept = {one["name"]: one["values"] for one in writer.get_user("ann")["attributes"]["attributes"]}
    same(kept["badge"], ["42"])

with check("add_user, change_password, set_active"):
    same(writer.add_user("guest", password="first password", email="guest@example.org", first_name="Gast"), True)
    same(writer.auth_user("guest", "first password")["first-name"], "Gast")
    same(writer.change_password("guest", "second password"), True)
    answers = [writer.auth_user("guest", password) for password in ("first password", "second password")]
    same((answers[0], answers[1]["name"]), (None, "guest"))
    same(writer.set_active("guest", False), True)
    same((writer.get_user("guest")["active"], writer.auth_user("guest", "second password")), (False, None))
    same(writer.set_active("guest", True), True)
with check("add_user: a name that is taken"):
    same(writer.add_user("ann", password="a good password", email="x@example.org"), False)
with check("what belongs to the identity provider stays as it is"):
    same((writer.set_active("ann", False), writer.change_password("ann", "a new password")), (None, False))
    same(writer.remove_user_from_group("ann", "R&D crew"), False)
    same((writer.get_user("ann")["active"], writer.get_groups("ann")), (True, ["R&D crew"]))
with check("send_password_reset_link: no mail is sent from here"):
    same(writer.send_password_reset_link("ann"), False)
with check("an application that may only read"):
    same(reader.get_groups("ann"), ["R&D crew"])
    same((reader.add_user_to_group("ann", "local team"), reader.set_user_attribute("ann", "a", "b")), (False, False))
    same(bool(reader.create_group("no")), True)

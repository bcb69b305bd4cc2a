"""All checks of scim2-tester."""

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from report import SCENE, tell

OUTCOMES = {
    Status.SUCCESS: "passed",
    Status.COMPLIANT: "passed",
    Status.ACCEPTABLE: "passed",
    Status.SKIPPED: "skipped",
}

authorization = {"Authorization": f"Bearer {SCENE['scim_token']}"}
with Client(base_url=SCENE["scim"], headers=authorization, timeout=30) as client:
    for result in check_server(SyncSCIMClient(client)):
        about = result.data.get("urn") if isinstance(result.data, dict) else None
        check = " ".join(part for part in (result.resource_type, result.title, about) if part)
        tell(check, OUTCOMES.get(result.status, "failed"), result.reason or "")

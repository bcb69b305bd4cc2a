"""The probe of scim-sanity, in its strict mode."""

import json
import subprocess
import sys

from report import SCENE, tell

OUTCOMES = {"pass": "passed", "skip": "skipped"}

probe = subprocess.run(
    [sys.executable, "-m", "scim_sanity", "probe", SCENE["scim"], "--token", SCENE["scim_token"],
     "--i-accept-side-effects", "--strict", "--json-output"],
    stdout=subprocess.PIPE, text=True,
)
for result in json.loads(probe.stdout)["results"]:
    tell(result["name"], OUTCOMES.get(result["status"], "failed"), result.get("message", ""))

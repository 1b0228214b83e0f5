"""A recorded device as a test: the bridge replays the trace, the test looks at what it shows.

    HEARTWIRE="node dist/bin/heartwire.js" python3 -m pytest clients/python/examples
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from heartwire.sync import connect

TRACES = Path(__file__).resolve().parents[3] / "fixtures" / "traces" / "declared"
HEARTWIRE = shlex.split(os.environ.get("HEARTWIRE", "heartwire"))


@pytest.fixture
def bridge(tmp_path):
    """A bridge on a free port whose only device is the trace."""
    config = f"""
server: {{ port: 0 }}
devices:
  - id: bench
    link: replay:{TRACES}/telemetry.trace
    register: {{ appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }}
    messages: {TRACES}/messages.yaml
"""
    (tmp_path / "devices.yaml").write_text(config)
    program = subprocess.Popen([*HEARTWIRE, "run", "devices.yaml"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        for line in program.stdout:
            if found := re.search(r"is at (http\S+)", line):
                break
        with connect(found.group(1), topics="devices/bench/state", timeout=30) as client:
            yield client
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def test_the_oven_heats(bridge):
    telemetry = bridge.wait_for(lambda view: view.get("bench").get("values", {}).get("telemetry"), timeout=30)
    assert telemetry["mode"] == "heating"
    assert telemetry["uptime"] >= 3600
    assert bridge.view.get("bench")["replay"] is True

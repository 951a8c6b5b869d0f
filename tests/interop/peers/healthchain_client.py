"""HealthChain's own sandbox client (PyPI `healthchain`) as an EHR.

Usage: healthchain_client.py SERVICE_URL PREFETCH.json, prints the answers it read as a JSON list (`{}` for a refusal).
Its patient and user ids are made up by the client itself, so a prefetch with a real patient is somebody else's.
"""

import json
import logging
import sys

from healthchain.sandbox import SandboxClient

logging.disable(logging.CRITICAL)

client = SandboxClient(url=sys.argv[1], workflow="patient-view")
client.load_from_path(sys.argv[2])
answers = client.send_requests()
json.dump({"sent": client.get_request_data(format="dict"), "answers": answers}, sys.stdout, ensure_ascii=False)

"""An agent that uses fhir-mcp (PyPI) as it is meant to be used: over MCP on stdio, by its tool `run_cds_hook`.

Usage: fhir_mcp_agent.py CDS_BASE_URL STATE_DIR < calls.json > answers.json
`calls.json` is a list of `[tool, arguments]`; each answer is what the tool gave back. The patients are the
synthetic ones that fhir-mcp ships.
"""

import asyncio
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main(base: str, state: str) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "fhir_mcp", "serve"],
        env={**os.environ, "FHIR_MCP_CDS_HOOKS_URL": base, "FHIR_MCP_STATE_DIR": state},
    )
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        answers = [await call(session, tool, arguments) for tool, arguments in json.load(sys.stdin)]
    json.dump(answers, sys.stdout, ensure_ascii=False)


async def call(session: ClientSession, tool: str, arguments: dict) -> dict:
    result = await session.call_tool(tool, arguments)
    if result.isError:
        raise SystemExit(f"{tool}: {result.content}")
    return json.loads(result.content[0].text)


asyncio.run(main(sys.argv[1], sys.argv[2]))

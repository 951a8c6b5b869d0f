"""nginx twice in one process: the upstream that every contender calls, and the plain reverse proxy to compare with.

The upstream answers from memory: `/fast/...` at once, `/delay-20/...` after 20 ms (echo module of Debian's
nginx-light). It is faster than anything in front of it, so it measures the contenders and not itself.
"""

import shutil
import subprocess
import time
from pathlib import Path

import payload
from net import free_port, wait_for_port

DELAYS = (5, 10, 15, 18, 20, 3000)


class Nginx:
    """Runs while the object is used as a context."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._upstream, self._proxy = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self._upstream}"
        self.proxy_base = f"http://127.0.0.1:{self._proxy}"

    def __enter__(self) -> "Nginx":
        folder = self._folder / "nginx"
        folder.mkdir()
        config = folder / "nginx.conf"
        config.write_text(self._config(folder), encoding="utf-8")
        program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        self._process = subprocess.Popen([program, "-c", config, "-e", folder / "error.log"])
        wait_for_port(self._upstream)
        wait_for_port(self._proxy)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        time.sleep(0.1)

    def _config(self, folder: Path) -> str:
        return f"""
            include /etc/nginx/modules-enabled/*.conf;
            daemon off;
            worker_processes auto;
            pid {folder}/nginx.pid;
            error_log {folder}/error.log warn;
            events {{ worker_connections 8192; }}
            http {{
                access_log off;
                default_type application/json;
                client_body_buffer_size 64k;
                keepalive_requests 1000000000;
                {_temporary(folder)}
                server {{
                    listen 127.0.0.1:{self._upstream} reuseport backlog=4096;
                    location ~ ^/[a-z0-9-]+/cds-services$ {{ return 200 '{payload.discovery()}'; }}
                    location ~ ^/fast/cds-services/(?<service>[a-z0-9-]+)$ {{
                        return 200 '{payload.cards("$service")}';
                    }}
                    {"".join(_delayed(delay) for delay in DELAYS)}
                }}
                upstream backend {{ server 127.0.0.1:{self._upstream}; keepalive 128; }}
                server {{
                    listen 127.0.0.1:{self._proxy} reuseport backlog=4096;
                    location / {{
                        proxy_pass http://backend;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                    }}
                }}
            }}
        """


def _delayed(milliseconds: int) -> str:
    return f"""
                    location ~ ^/delay-{milliseconds}/cds-services/(?<service>[a-z0-9-]+)$ {{
                        echo_read_request_body;
                        echo_sleep {milliseconds / 1000};
                        echo '{payload.cards("$service")}';
                    }}"""


def _temporary(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)

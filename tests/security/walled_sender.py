"""Puts the sender of webhooks into a country of its own and asks what came of it."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.home import ROOT
from tests.security.walled_country import NAMES, SERVERS

TOOLS = {"unshare": "util-linux", "ip": "iproute2", "mount": "mount", "nft": "nftables"}
MOST_SECONDS = 180.0


class NoCountry(Exception):
    """This machine cannot make one; says what is missing."""


@dataclass(frozen=True, slots=True)
class Delivery:
    url: str
    told: str
    seconds: float
    read: int


@dataclass(frozen=True, slots=True)
class Phase:
    """What the kernel counted, whom servers saw arriving, and the single deliveries."""

    packets: dict[str, int]
    reached: dict[str, int]
    deliveries: list[Delivery]


def missing() -> str:
    """Return what this machine lacks, in words; empty when it has everything."""
    lacking = [f"{tool}（{package}）" for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if lacking:
        return f"缺少程序，请安装 programs are missing, install them: {', '.join(lacking)}"
    done = subprocess.run([*_apart(), "true"], capture_output=True, text=True, check=False)
    return f"不能建立命名空间 no namespaces can be made here: {done.stderr.strip()}" if done.returncode else ""


def sent_from_inside(folder: Path, *phases: str) -> dict[str, Phase]:
    """Let the sender go through `phases` (see `walled_deliveries.py`) in namespaces of its own.

    Raises NoCountry: they could not be made, or what ran there failed.
    """
    (folder / "server.pem").write_bytes(_papers())
    command = [*_apart(), sys.executable, "-m", "tests.security.walled_deliveries", str(folder), *phases]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MENDLINE_WEBHOOK", "DATABASE"))},
        "DATABASE_URL": "postgresql://nobody@/none?host=/nowhere",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SSL_CERT_FILE": str(folder / "server.pem"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=MOST_SECONDS
    )
    if done.returncode != 0:
        raise NoCountry(done.stderr[-3000:])
    told = json.loads(done.stdout)
    return {
        name: Phase(one["packets"], one["reached"], [Delivery(**delivery) for delivery in one["deliveries"]])
        for name, one in told.items()
    }


def _apart() -> list[str]:
    """Return the words before a command that is to have a network, and a view of files, of its own."""
    return ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--net", "--mount"]


def _papers() -> bytes:
    """Return a key and a paper for all public servers, which is its own authority."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example")])
    names: list[x509.GeneralName] = [x509.DNSName(one) for one in (*NAMES, "turn.example")]
    names += [x509.DNSName(f"turn{one}.example") for one in ("6", "-mapped")]
    names += [x509.IPAddress(ipaddress.ip_address(one)) for one in SERVERS]
    paper = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return secret + paper.public_bytes(serialization.Encoding.PEM)

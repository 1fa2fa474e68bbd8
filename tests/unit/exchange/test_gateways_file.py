from __future__ import annotations

from pathlib import Path

import pytest

from exchange.gateway_documents import load_gateways_document, read_gateways_file
from local.exchange.certificates import CertificateAuthority
from presence.errors import ConfigurationError

TOML = """
schema_version = 1
[network]
allow_loopback = true
[network.connect]
"mail.example.com:443" = "127.0.0.1:8443"
[[gateways]]
name = "headquarters"
kind = "autodiscover"
domains = ["*"]
credentials = "reader"
ca_file = "certificates/ca.pem"
"""


def test_a_file_is_read_with_the_chain_that_stands_beside_it(tmp_path: Path) -> None:
    authority = CertificateAuthority("CA")
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "ca.pem").write_text(authority.pem)
    (tmp_path / "gateways.toml").write_text(TOML)

    assert read_gateways_file(tmp_path / "gateways.toml").gateways[0].ca == authority.pem.strip()
    plain = load_gateways_document(tmp_path / "gateways.toml")
    assert plain["gateways"] == [
        {
            "name": "headquarters",
            "kind": "autodiscover",
            "domains": ["*"],
            "credentials": "reader",
            "ca": authority.pem,
        }
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema_version = ", "is no TOML"),
        (TOML, "gateways[0].ca_file: 'certificates/ca.pem' can't be read (No such file or directory)"),
        (TOML.replace('"certificates/ca.pem"', "7"), "gateways[0].ca_file: must be the name of a file"),
        (TOML + 'ca = "x"\n', "gateways[0].ca_file: give ca_file or ca, not both"),
        ("schema_version = 1\ngateways = 5\n", "gateways: must be a list of tables, not a number"),
        (f"schema_version = {'1' * 5000}", "is no TOML: Exceeds the limit"),
        (f"schema_version = {'[' * 3000}{']' * 3000}", "is nested too deep"),
        (TOML.replace("certificates/ca.pem", "\\u0000"), "gateways[0].ca_file: '\\x00' is no name of a file"),
        (TOML.replace("certificates/ca.pem", "/dev/zero"), "/dev/zero: has more than 1024 KiB"),
        ("#" * 1024 * 1025, "has more than 1024 KiB"),
    ],
    ids=lambda text: text[:40],
)
def test_a_file_that_can_t_be_used_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "gateways.toml").write_text(text)

    with pytest.raises(ConfigurationError) as caught:
        read_gateways_file(tmp_path / "gateways.toml")

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml: can't be read \(No such file or directory\)"):
        read_gateways_file(tmp_path / "absent.toml")

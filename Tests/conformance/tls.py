#!/usr/bin/env python3
"""Holds Usher's TLS to Mozilla's profiles, as sslyze checks them.

    tls.py USHER        starts servers with that binary, each with other settings, and scans each

A server for real people has a certificate that an authority signed, so that is what is made here with openssl. What is
asked beyond Mozilla's profiles stands in `beyond`.
"""

import pathlib
import subprocess
import sys
import tempfile

from sslyze import (
    CertificateInfoExtraArgument,
    ScanCommand,
    ScanCommandsExtraArguments,
    Scanner,
    ServerConnectivityStatusEnum,
    ServerNetworkLocation,
    ServerScanRequest,
    TlsResumptionSupportEnum,
)
from sslyze.mozilla_tls_profile import tls_config_checker as mozilla

from server import serving

MORE = {ScanCommand.SESSION_RESUMPTION, ScanCommand.TLS_1_3_EARLY_DATA}


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"openssl {arguments[0]}: {done.stderr}")


def make_certificate(folder, days=90):
    """An authority of one's own and a server's certificate by it, as docs/operating.md describes."""
    authority, request = folder / "authority.pem", folder / "request.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", folder / "authority-key.pem", "-out", authority, "-days", "3650",
            "-subj", "/CN=Usher's test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    openssl("req", *key, "-keyout", folder / "key.pem", "-out", request, "-subj", "/CN=localhost")
    (folder / "extensions").write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", folder / "authority-key.pem", "-days", days,
            "-extfile", folder / "extensions", "-out", folder / "chain.pem")  # fmt: skip
    return authority, ["--certificate", str(folder / "chain.pem"), "--private-key", str(folder / "key.pem")]


def scan(server, authority):
    scanner = Scanner(per_server_concurrent_connections_limit=4)
    trust = ScanCommandsExtraArguments(certificate_info=CertificateInfoExtraArgument(custom_ca_file=authority))
    commands = mozilla.SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER | MORE
    location = ServerNetworkLocation("localhost", server.port, "127.0.0.1")
    scanner.queue_scans([ServerScanRequest(location, scan_commands=commands, scan_commands_extra_arguments=trust)])
    [result] = scanner.get_results()
    if result.connectivity_status != ServerConnectivityStatusEnum.COMPLETED:
        sys.exit(f"sslyze does not reach the server: {result.connectivity_error_trace}")
    return result


def issues(result, profile):
    """What Mozilla's profile objects to."""
    try:
        mozilla.check_server_against_tls_configuration(result, mozilla.MozillaTlsConfiguration.get(profile))
    except mozilla.ServerNotCompliantWithTlsConfiguration as found:
        return dict(found.issues)
    return {}


def beyond(result, versions):
    """What Mozilla's check does not ask, and docs/operating.md promises."""
    found = result.scan_result
    spoken = {
        name
        for name, attempt in {"1.2": found.tls_1_2_cipher_suites, "1.3": found.tls_1_3_cipher_suites}.items()
        if attempt.result.is_tls_version_supported
    }
    curves = {curve.name for curve in found.elliptic_curves.result.supported_curves}
    resumption = found.session_resumption.result
    facts = {
        f"speaks TLS {' and '.join(versions)}": spoken == set(versions),
        "curves X25519 and P-256": curves == {"X25519", "secp256r1"},
        "no early data": not found.tls_1_3_early_data.result.supports_early_data,
        "no renegotiation at a client's wish": not found.session_renegotiation.result.is_vulnerable_to_client_renegotiation_dos,
    }
    if "1.2" in versions:
        facts["no sessions kept"] = resumption.session_id_resumption_result == TlsResumptionSupportEnum.NOT_SUPPORTED
        facts["tickets"] = resumption.tls_ticket_resumption_result == TlsResumptionSupportEnum.FULLY_SUPPORTED
    return {fact: holds for fact, holds in facts.items()}


def main(usher):
    Profile = mozilla.TlsConfigurationEnum
    failed = False

    def report(what, objections, facts):
        nonlocal failed
        wrong = [f"{point}: {text}" for point, text in objections.items()]
        wrong += [f"not so: {fact}" for fact, holds in facts.items() if not holds]
        failed = failed or bool(wrong)
        print(f"{what}: {'; '.join(wrong) or 'passed'}; {sum(facts.values())} of {len(facts)} further facts hold")

    with tempfile.TemporaryDirectory(prefix="usher-tls-") as folder:
        authority, certificate = make_certificate(pathlib.Path(folder))
        common = ["--journal", "memory", "--admin-listen", "off"]
        with serving(usher, *common, *certificate) as server:
            result = scan(server, authority)
            facts = beyond(result, ["1.2", "1.3"])
            # That the check can see: 1.2 is no part of the other profile.
            facts["modern objects to TLS 1.2"] = "tls_versions" in issues(result, Profile.MOZILLA_MODERN)
            report("defaults against Mozilla intermediate", issues(result, Profile.MOZILLA_INTERMEDIATE), facts)
        with serving(usher, *common, *certificate, "--tls-minimum", "1.3") as server:
            result = scan(server, authority)
            report("tls-minimum 1.3 against Mozilla modern", issues(result, Profile.MOZILLA_MODERN), beyond(result, ["1.3"]))
        with serving(usher, *common) as server:
            # No authority has signed this certificate, and none need: there must be no other objection.
            objections = issues(scan(server, authority), Profile.MOZILLA_INTERMEDIATE)
            signed = objections.pop("certificate_path_validation", None)
            report("development certificate", objections, {"is signed by nobody else": signed is not None})
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

"""Signs a clip, or judges signed clips, with c2pa-python, in that package's environment.

`python c2pa_child.py sign CLIP SIGNED` signs with a certificate that it makes, which no list of
trust knows. `python c2pa_child.py judge CLIP ...` prints a JSON line: of each clip, its validation
state and the codes of what is wrong; null: it has no manifest.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import c2pa  # pyright: ignore[reportMissingImports] - in another environment
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_FORMAT = "video/mp4"
_CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
}
_MANIFEST = {
    "claim_generator_info": [{"name": "a video service", "version": "1"}],
    "format": _FORMAT,
    "title": "clip",
    "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [_CREATED]}}],
}
_OTHER_USES = {
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "encipher_only": False,
    "decipher_only": False,
}


def _name(common: str) -> x509.Name:
    words = {NameOID.ORGANIZATION_NAME: "Proof", NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(kind, word) for kind, word in words.items()])


def _certificate(
    key: ec.EllipticCurvePrivateKey, root: ec.EllipticCurvePrivateKey, *, signs_others: bool
) -> x509.Certificate:
    """Return the root's own certificate, or one that the root gives to `key`."""
    now = datetime.now(tz=UTC)
    uses = x509.KeyUsage(
        digital_signature=not signs_others,
        key_cert_sign=signs_others,
        crl_sign=signs_others,
        **_OTHER_USES,
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(_name("root" if signs_others else "signer"))
        .issuer_name(_name("root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=signs_others, path_length=None), critical=True)
        .add_extension(uses, critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False
        )
    )
    if not signs_others:
        # C2PA wants a purpose, and takes this one.
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        made = made.add_extension(purpose, critical=False)
    return made.sign(root, hashes.SHA256())


def sign(clip: Path, signed: Path) -> None:
    """Write a copy of a clip with a manifest that says that a model made it."""
    root, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    chain = [
        _certificate(key, root, signs_others=False),
        _certificate(root, root, signs_others=True),
    ]
    info = c2pa.C2paSignerInfo(
        alg=b"es256",
        sign_cert=b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain),
        private_key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        ta_url=None,
    )
    builder = c2pa.Builder(json.dumps(_MANIFEST))
    with clip.open("rb") as source, signed.open("w+b") as target:
        builder.sign(c2pa.Signer.from_info(info), _FORMAT, source, target)


def judge(clip: Path) -> tuple[str, list[str]] | None:
    """Return a clip's validation state and the codes of what is wrong; None: it isn't signed."""
    with clip.open("rb") as file:
        try:
            reader = c2pa.Reader(_FORMAT, file)
        except c2pa.C2paError.ManifestNotFound:
            return None
        status = json.loads(reader.json()).get("validation_status", [])
        return str(reader.get_validation_state()), [each["code"] for each in status]


def main(action: str, *paths: str) -> None:
    """Do what the command line says."""
    clips = [Path(path) for path in paths]
    if action == "sign":
        sign(*clips)
    else:
        sys.stdout.write(f"{json.dumps([judge(clip) for clip in clips])}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/env python3
"""Verifies a dbguard transcript from its description in the README alone. Standard library only; shares no code with dbguard.

    verify.py VECTOR.json                     lines and issuer keys in one file
    verify.py FOLDER JWKS.json                a session's folder of NNNNNNNN.jsonl.gz
Exit code 0 when everything holds; otherwise 1 and the first reason.
"""
import base64, glob, gzip, hashlib, json, os, sys

ENTRY = "application/vnd.dbguard.entry.v1+json"
CERTIFICATE = "application/vnd.dbguard.session-certificate.v1+json"
SKEW = 120

def need(condition, why):
    if not condition:
        raise SystemExit("NOT PROVEN: " + why)


# Ed25519, RFC 8032 section 5.1, affine and slow.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * ROOT % P
    need((x * x - xx) % P == 0, "not a point of the curve")
    return P - x if x & 1 != sign else x


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def decode_point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x = recover_x(y, sign)
    return x, y, 1, x * y % P


def signed_by(key, message, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r, s = decode_point(key), decode_point(signature[:32]), int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = multiply(s, BASE), add(r, multiply(h, a))
    return s < L and (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def b64(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(base64.urlsafe_b64encode(data).decode().rstrip("=") == text, "base64url with another spelling")
    return data


def b64e(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sha(data):
    return hashlib.sha256(data).digest()


def pae(kind, payload):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def parse(text):
    def once(pairs):
        need(len(dict(pairs)) == len(pairs), "a key stands twice")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=once)


def utf8(text):
    return text.encode("utf-8")


def tree(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha(b"")
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha(b"\1" + tree(leaves[:split]) + tree(leaves[split:]))


def check_identity(entry, issuer_keys):
    """Issuer's token names the login key; login key vouches for the session key. Returns it with its life span."""
    head, body, signature = entry["idToken"].split(".")
    kid = json.loads(b64(head))["kid"]
    keys = [k for k in issuer_keys if k.get("kid") == kid and k.get("crv") == "Ed25519"]
    need(any(signed_by(b64(k["x"]), utf8(head + "." + body), b64(signature)) for k in keys), "issuer's signature")
    claims, subject = json.loads(b64(body)), entry["subject"]
    need(claims["iss"] == subject["iss"] and claims["sub"] == subject["sub"], "subject")
    need(claims["aud"] == entry.get("audience", entry["clientId"]), "audience")
    need(claims["iat"] - SKEW <= entry["loggedInAt"] / 1000 <= claims["exp"] + SKEW, "time of the login")
    need(claims["iat"] - SKEW <= entry["t"] / 1e6, "the session began before the login")
    key = entry["loginKey"]
    thumbprint = sha(utf8(json.dumps({"crv": key["crv"], "kty": key["kty"], "x": key["x"]}, separators=(",", ":"))))
    need(claims["nonce"] == b64e(sha(b"dbguard-bind-v1\0" + thumbprint + b64(entry["salt"]))), "the token binds another key")
    envelope = parse(entry["certificate"])
    payload = base64.b64decode(envelope["payload"])
    need(envelope["payloadType"] == CERTIFICATE, "type of the certificate")
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    need(signed_by(b64(key["x"]), pae(CERTIFICATE, payload), signature), "certificate")
    certified = parse(payload)
    need(certified["sid"] == entry["sid"] and certified["sessionKey"] == entry["sessionKey"], "certified key")
    return b64(certified["sessionKey"]["x"]), certified["notBefore"], certified["notAfter"]


def verify(lines, issuer_keys):
    leaves, prev, final, signed, sid = [], b64e(sha(b"")), False, 0, None
    totals = {"statements": 0, "asked": 0, "denied": 0}
    for n, text in enumerate(lines):
        line = parse(text)
        need(set(line) <= {"p", "x", "s"}, "unknown field in line %d" % n)
        entry, bytes_ = parse(line["p"]), pae(ENTRY, utf8(line["p"]))
        if n == 0:
            need(entry["k"] == "open" and entry["v"] == 1, "the first entry does not open the session")
            sid = entry["sid"]
            key, not_before, not_after = check_identity(entry, issuer_keys)
        need(n == 0 or entry["k"] != "open", "entry %d opens the session again" % n)
        need(not final, "something follows the final seal")
        need(entry["sid"] == sid and entry["n"] == n and entry["prev"] == prev, "chain at entry %d" % n)
        digests = sorted(b64e(sha(utf8(disclosure))) for disclosure in line.get("x", []))
        need(digests == sorted(entry.get("c", {}).values()), "disclosures of entry %d" % n)
        for disclosure in line.get("x", []):
            need(entry["c"].get(parse(disclosure)[1]) == b64e(sha(utf8(disclosure))), "name of a disclosure in %d" % n)
        if entry["k"] == "seal":
            need(entry["size"] == n and entry["root"] == b64e(tree(leaves)), "seal %d" % n)
            need(entry["totals"] == totals, "totals of seal %d" % n)
            final = entry.get("final", False)
        totals["statements"] += entry["k"] == "statement"
        totals["asked"] += entry["k"] == "statement" and entry.get("decision") in ("ask", "second-person")
        totals["denied"] += entry["k"] == "verdict" and entry["decision"] != "allow"
        leaves.append(sha(bytes_))
        prev = b64e(leaves[-1])
        if "s" in line:
            need(signed_by(key, bytes_, b64(line["s"])), "signature of entry %d" % n)
            need((n > 0 or not_before <= entry["t"] / 1000) and entry["t"] / 1000 <= not_after, "key's life at %d" % n)
            signed = n + 1
    need(signed == len(leaves), "the last entries are not signed")
    need(final, "no final seal")
    return {"sid": sid, "entries": len(leaves), "statements": totals["statements"], "head": prev}


if __name__ == "__main__":
    if os.path.isdir(sys.argv[1]):
        files = sorted(glob.glob(os.path.join(sys.argv[1], "*.jsonl.gz")))
        rows = [row for name in files for row in gzip.open(name, "rt", encoding="utf-8", newline="\n").read().split("\n") if row]
        keys = json.load(open(sys.argv[2]))["keys"]
    else:
        vector = json.load(open(sys.argv[1], encoding="utf-8"))
        rows, keys = [row for segment in vector["segments"] for row in segment], vector["issuerKeys"]["keys"]
    print(json.dumps(verify(rows, keys)))

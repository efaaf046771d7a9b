#!/usr/bin/env python3
"""Verifies a dbguard transcript from its description in the README alone. Standard library only; shares no code with dbguard.

    verify.py VECTOR.json                     lines and issuer keys in one file
    verify.py FOLDER JWKS.json                a session's folder of NNNNNNNN.jsonl.gz
Exit code 0 when everything holds; otherwise 1 and the first reason.
"""
import base64, glob, gzip, hashlib, json, os, sys

HEAD = "application/vnd.dbguard.head.v1+json"
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


def check_identity(entry, sid, issuer_keys):
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
    envelope = entry["certificate"]
    payload = base64.b64decode(envelope["payload"])
    need(envelope["payloadType"] == CERTIFICATE, "type of the certificate")
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    need(signed_by(b64(key["x"]), pae(CERTIFICATE, payload), signature), "certificate")
    certified = parse(payload)
    need(certified["sid"] == sid and certified["sessionKey"] == entry["sessionKey"], "certified key")
    return b64(certified["sessionKey"]["x"]), certified["notBefore"], certified["notAfter"]


def verify(sid, lines, issuer_keys):
    head, n, final, signed, t = b64e(sha(utf8("dbguard-transcript-v1\0" + sid))), 0, False, 0, 0
    totals = {"statements": 0, "asked": 0, "denied": 0}
    for text in lines:
        payload, *disclosures = text.split("\t")
        line = parse(payload)
        if payload.startswith('{"size":'):
            need(list(line) == ["size", "head", "sig"] and not disclosures, "shape of a signature")
            need(json.dumps(line, separators=(",", ":")) == payload, "spelling of a signature")
            need(line["size"] == n > signed and line["head"] == head, "head at %d" % n)
            message = pae(HEAD, utf8('{"sid":"%s","size":%d,"head":"%s"}' % (sid, n, head)))
            need(signed_by(key, message, b64(line["sig"])), "signature over %d" % n)
            need(t / 1000 <= not_after, "key's life at %d" % n)
            signed = n
        else:
            if n == 0:
                need(line["k"] == "open" and line["v"] == 1, "the first entry does not open the session")
                key, not_before, not_after = check_identity(line, sid, issuer_keys)
                need(not_before <= line["t"] / 1000, "key's life at 0")
            need(n == 0 or line["k"] != "open", "entry %d opens the session again" % n)
            need(not final, "something follows the final seal")
            need(line["n"] == n, "number of entry %d" % n)
            digests = [b64e(sha(utf8(disclosure))) for disclosure in disclosures]
            need(digests == list(line.get("c", {}).values()), "disclosures of entry %d" % n)
            need([parse(disclosure)[1] for disclosure in disclosures] == list(line.get("c", {})), "name of a disclosure in %d" % n)
            if line["k"] == "seal":
                need(line["totals"] == totals, "totals of seal %d" % n)
                final = line.get("final", False)
            totals["statements"] += line["k"] == "statement"
            totals["asked"] += line["k"] == "statement" and line.get("decision") in ("ask", "second-person")
            totals["denied"] += line["k"] == "verdict" and line["decision"] != "allow"
            n, t = n + 1, line["t"]
        head = b64e(sha(utf8(head + payload)))
    need(signed == n, "the last entries are not signed")
    need(final, "no final seal")
    return {"sid": sid, "entries": n, "statements": totals["statements"], "head": head}


if __name__ == "__main__":
    if os.path.isdir(sys.argv[1]):
        files = sorted(glob.glob(os.path.join(sys.argv[1], "*.jsonl.gz")))
        rows = [row for name in files for row in gzip.open(name, "rt", encoding="utf-8", newline="\n").read().split("\n") if row]
        keys = json.load(open(sys.argv[2]))["keys"]
        sid = os.path.basename(os.path.normpath(sys.argv[1]))
    else:
        vector = json.load(open(sys.argv[1], encoding="utf-8"))
        sid, rows, keys = vector["expected"]["sid"], [row for segment in vector["segments"] for row in segment], vector["issuerKeys"]["keys"]
    print(json.dumps(verify(sid, rows, keys)))

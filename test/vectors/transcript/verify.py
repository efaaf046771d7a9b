#!/usr/bin/env python3
"""Verifies dbguard transcripts, written from src/transcript/FORMAT.md alone. Standard library only; shares no code with dbguard.

    verify.py SESSIONS.jsonl            a session a line: {"name", "sid", "subject", "segments", "issuerKeys"}; one verdict a line
    verify.py FOLDER JWKS.json          v1/<subject>/<sid>, as it lies in a bucket
Verdicts: proven (exit code 0), invalid (1), unproven (2). One session at a time: no redactions, no bucket times, nothing between
sessions. Tokens with EdDSA or RS256 signatures.
"""
import base64, glob, hashlib, json, os, re, sys, zlib

HEAD = "application/vnd.dbguard.head.v1+json"
CERTIFICATE = "application/vnd.dbguard.session-certificate.v1+json"
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
SKEW, HOUR, WEEK = 120, 3_600_000, 604_800_000


class Invalid(Exception):
    pass


class Unproven(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Invalid(why)


# Ed25519, RFC 8032 section 5.1, in extended coordinates.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def recover(y, sign):
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need((x * x - xx) % P == 0 and not (x == 0 and sign), "not a point of the curve")
    return P - x if x & 1 != sign else x


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def decode_point(data):
    number = int.from_bytes(data, "little")
    y = number & (2**255 - 1)
    need(y < P, "a point that is not canonical")
    x = recover(y, number >> 255)
    return x, y, 1, x * y % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover(BASE_Y, 0), BASE_Y, 1, recover(BASE_Y, 0) * BASE_Y % P)


def public_key(jwk):
    need(isinstance(jwk, dict) and jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519" and isinstance(jwk.get("x"), str), "not a key")
    data = b64(jwk["x"])
    need(len(data) == 32, "length of a key")
    need(not same(multiply(8, decode_point(data)), (0, 1, 1, 0)), "a key of small order")
    return data


def signed_by(key, message, signature):
    if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= L:
        return False
    try:
        r = decode_point(signature[:32])
    except Invalid:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return same(multiply(int.from_bytes(signature[32:], "little"), BASE), add(r, multiply(h, decode_point(key))))


def rsa_signed(jwk, message, signature):
    n, e = (int.from_bytes(b64(jwk[name]), "big") for name in "ne")
    size = (n.bit_length() + 7) // 8
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(message).digest()
    return pow(int.from_bytes(signature, "big"), e, n) == int.from_bytes(b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info, "big")


def b64(text):
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Invalid("not base64url")
    need(b64e(data) == text, "base64url with another spelling")
    return data


def b64e(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sha(*parts):
    return b64e(hashlib.sha256(b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)).digest())


def pae(kind, body):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)


def parse(text):
    def once(pairs):
        need(len(dict(pairs)) == len(pairs), "a key stands twice")
        return dict(pairs)

    def no_constants(name):
        raise Invalid("%s is no JSON" % name)

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=no_constants)
    except (ValueError, RecursionError):
        raise Invalid("not JSON")


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def is_text(value):
    return isinstance(value, str)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def one_of(*words):
    return lambda value: value in words and isinstance(value, str)


def anything(value):
    return True


def a_list(check):
    return lambda value: isinstance(value, list) and all(check(one) for one in value)


def table(strings, **types):
    return {**{name: is_text for name in strings.split()}, **types}


OPEN = "v subject level clientId audience method loggedInAt loginKey salt idToken accessToken sessionKey certificate connection policy version agent previous"
FIELDS = {
    "open": {name: anything for name in OPEN.split()},
    "connection": table("user database applicationName reason", event=one_of("open", "close", "own"), conn=is_count, backendPid=is_count),
    "parse": table("", conn=is_count, facts=anything),
    "statement": table(
        "name portal tx rule", conn=is_count, text=is_count, continues=is_count, facts=anything, hex=a_list(is_count),
        protocol=one_of("query", "execute", "function"), decision=one_of("allow", "ask", "second-person", "deny")),
    "dry-run": table("", of=is_count),
    "verdict": table(
        "by channel name rule shown", of=is_count, under=is_count, waitedMs=is_number, estimatedRows=is_number,
        decision=one_of("allow", "deny", "abort"), scope=one_of("once", "session", "transaction")),
    "outcome": table(
        "tag sqlstate tx", of=is_count, tags=is_count, rows=is_count, bytes=is_count, us=is_number, masked=a_list(is_text),
        how=one_of("done", "failed", "skipped", "rejected", "lost")),
    "heartbeat": {},
    "redaction": table("session reason", of=is_count, digests=lambda value: isinstance(value, dict)),
    "seal": {"totals": lambda value: isinstance(value, dict), "final": lambda value: value is True},
}


class Statements:
    """What no honest writer writes."""

    def __init__(self):
        self.texts, self.all, self.through, self.owed = set(), set(), set(), {}

    def add(self, n, entry):
        kind, of = entry["k"], entry.get("of")
        sql = "sql" in entry.get("c", {})
        if kind == "parse" and sql:
            self.texts.add(n)
        elif kind == "statement":
            if "continues" in entry:
                need(entry["continues"] in self.through, "statement %d continues nothing" % n)
            elif "text" in entry:
                need(entry["text"] in self.texts, "text of statement %d" % n)
            else:
                need(sql, "statement %d has no text" % n)
            if sql:
                self.texts.add(n)
            decision = "allow" if "continues" in entry else entry.get("decision")
            need(decision is not None, "statement %d has no decision" % n)
            if decision == "allow":
                self.through.add(n)
            self.all.add(n)
            self.owed[n] = decision
        elif kind in ("verdict", "outcome", "dry-run"):
            need(of in self.all, "entry %d is of no statement" % n)
            state = self.owed.get(of)
            need(state is not None, "entry %d comes too late" % n)
            if kind == "dry-run":
                need(state in ("ask", "second-person"), "dry run %d" % n)
            elif kind == "verdict":
                need("decision" in entry, "verdict %d decides nothing" % n)
                need(state != "allow", "verdict %d of what was let through" % n)
                need("under" not in entry or entry["under"] in self.through, "verdict %d is under nothing" % n)
                if entry["decision"] == "allow":
                    need(state != "deny", "verdict %d lets through what was denied" % n)
                    self.through.add(of)
                    self.owed[of] = "allow"
                else:
                    del self.owed[of]
            else:
                need("how" in entry, "outcome %d says nothing" % n)
                need(state == "allow" or entry["how"] in ("skipped", "rejected"), "outcome %d of what was not let through" % n)
                del self.owed[of]
        elif kind == "seal" and entry.get("final"):
            need(not self.owed, "sealed, and statements wait: %s" % sorted(self.owed)[:3])


def check_token(token, issuer_keys, issuer, at):
    parts = token.split(".")
    need(len(parts) == 3, "not a JWT")
    head, message, signature = parse(b64(parts[0])), (parts[0] + "." + parts[1]).encode(), b64(parts[2])
    candidates = [key for key in issuer_keys if head.get("kid") in (None, key.get("kid"))]
    fits = any(
        head["alg"] in ("EdDSA", "Ed25519") and key["kty"] == "OKP" and signed_by(public_key(key), message, signature)
        or head["alg"] == "RS256" and key["kty"] == "RSA" and rsa_signed(key, message, signature)
        for key in candidates
    )
    if not fits and (not candidates or "kid" not in head):
        raise Unproven("no key for the token")
    need(fits, "the issuer's signature")
    claims = parse(b64(parts[1]))
    need(claims["iss"] == issuer, "issuer")
    need(claims["iat"] - SKEW <= at / 1000 <= claims["exp"] + SKEW, "time of the login")
    return head, claims


def thumbprint(jwk):
    return hashlib.sha256(json.dumps({"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"]}, separators=(",", ":")).encode()).digest()


def level_of(entry, issuer_keys):
    """For an issuer of people; the reader knows neither dbguard's client nor its audience."""
    subject, key, salt = entry["subject"], entry["loginKey"], b64(entry["salt"])
    head, claims = check_token(entry["idToken"], issuer_keys, subject["iss"], entry["loggedInAt"])
    need(not str(head.get("typ", "")).lower().endswith("+jwt") and "events" not in claims, "no ID token")
    need(claims.get("typ") not in ("Bearer", "DPoP", "Refresh", "Offline", "Logout", "Serialized-ID"), "no ID token")
    need(claims["sub"] == subject["sub"], "subject")
    verified = all(claims.get(name, True) in (True, 1, "true", "1") for name in ("email_verified", "xms_edov"))
    need((claims.get("email") if verified else None) == subject.get("email"), "e-mail")
    need(-SKEW <= entry["t"] / 1e6 - claims["iat"] <= 30 * 86400, "the session began before the login, or long after it")
    need(len(salt) == 16, "length of the salt")
    nonce, ours = sha(b"dbguard-bind-v1\0", thumbprint(key), salt), entry.get("audience", entry["clientId"])
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    bound = ours + ":" + nonce in audience
    need(ours in audience or bound, "audience")
    need(all(one == ours + ":" + nonce or not re.fullmatch(re.escape(ours) + ":[\\w-]{43}", one) for one in audience), "bound to another key")
    if ours in audience:
        need(claims.get("azp", ours if len(audience) == 1 else None) == ours, "authorized party")
    need(claims.get("nonce", nonce) == nonce, "the token binds another key")
    if bound or "nonce" in claims:
        return "nonce"
    if "accessToken" not in entry:
        return "asserted"
    access = check_token(entry["accessToken"], issuer_keys, subject["iss"], entry["loggedInAt"])[1]
    need(access["sub"] == subject["sub"] and access.get("client_id", access.get("azp")) == entry["clientId"], "access token")
    need(access["cnf"]["jkt"] == b64e(thumbprint(key)), "the access token names another key")
    return "dpop"


def session_key(entry, sid):
    envelope = entry["certificate"]
    need(envelope["payloadType"] == CERTIFICATE and len(envelope["signatures"]) == 1, "envelope of the certificate")
    payload = base64.b64decode(envelope["payload"])
    need(signed_by(public_key(entry["loginKey"]), pae(CERTIFICATE, payload), base64.b64decode(envelope["signatures"][0]["sig"])), "certificate")
    claims = parse(payload)
    need(claims["sid"] == sid and claims["sessionKey"]["x"] == entry["sessionKey"]["x"], "certified key")
    need(claims["notAfter"] - claims["notBefore"] <= WEEK, "the certificate lives too long")
    need(claims["notBefore"] <= entry["t"] / 1000, "the certificate was not valid yet")
    return public_key(claims["sessionKey"]), claims["notAfter"]


def verify(sid, folder, segments, issuer_keys):
    """Lists what is not proven; raises Invalid."""
    doubts, head, n, signed, sealed, t = [], sha("dbguard-transcript-v1\0", sid), 0, 0, None, 0
    totals, statements, key, not_after = {"statements": 0, "asked": 0, "denied": 0}, Statements(), None, 0
    need(re.fullmatch("[0-7][%s]{25}" % CROCKFORD, sid), "session id")
    for text in (line for lines in segments for line in lines):
        payload, *disclosures = text.split("\t")
        if payload.startswith('{"size":'):
            line = parse(payload)
            need(not disclosures and list(line) == ["size", "head", "sig"] and json.dumps(line, separators=(",", ":")) == payload, "shape of a signature")
            need(line["size"] == n > signed and line["head"] == head, "head behind entry %d" % (n - 1))
            body = '{"sid":"%s","size":%d,"head":"%s"}' % (sid, n, head)
            need(signed_by(key, pae(HEAD, body.encode()), b64(line["sig"])), "signature behind entry %d" % (n - 1))
            need(t / 1000 <= not_after, "signed after the life of the session key")
            signed = n
        else:
            entry = parse(payload)
            need(isinstance(entry, dict) and all(is_count(entry.get(name)) for name in "nt") and is_text(entry.get("k")), "shape of an entry")
            need(entry["n"] == n, "number of entry %d" % n)
            need(sealed is None, "entry %d stands behind the final seal" % n)
            need((entry["k"] == "open") == (n == 0), "place of the opening entry")
            if n == 0:
                need(entry["v"] == 1, "version")
                need(sha_hex(entry["subject"]) == folder, "folder of another subject")
                need(entry.get("previous", {}).get("sid") != sid, "comes after itself")
                born = sum(CROCKFORD.index(c) * 32 ** (9 - i) for i, c in enumerate(sid[:10]))
                need(abs(born - entry["t"] / 1000) <= HOUR, "time in the session's id")
                key, not_after = session_key(entry, sid)
                try:
                    level = level_of(entry, issuer_keys)
                    if level not in ("nonce", "dpop"):
                        doubts.append("level " + level)
                except Unproven as reason:
                    doubts.append(str(reason))
            commitments = entry.get("c", {})
            need([sha(one) for one in disclosures] == list(commitments.values()), "disclosures of entry %d" % n)
            need([parse(one)[1] for one in disclosures] == list(commitments), "names of disclosures of entry %d" % n)
            known = FIELDS.get(entry["k"])
            if known is None:
                doubts.append("kind " + entry["k"])
            else:
                wrong = [name for name in entry if name in known and not known[name](entry[name])]
                need(not wrong, "type of %s in entry %d" % (wrong, n))
            statements.add(n, entry)
            if entry["k"] == "seal":
                need(entry["totals"] == totals, "totals of seal %d" % n)
                sealed = n if entry.get("final") else None
            totals["statements"] += entry["k"] == "statement"
            totals["asked"] += entry["k"] == "statement" and entry.get("decision") in ("ask", "second-person")
            totals["denied"] += entry["k"] == "verdict" and entry.get("decision") != "allow"
            n, t = n + 1, entry["t"]
        head = sha(head, payload)
    if n == 0:
        return ["no transcript"]
    need(signed > 0, "nothing is signed")
    if signed < n:
        doubts.append("the last %d entries are unsealed" % (n - signed))
    if sealed is None or signed <= sealed:
        doubts.append("no final seal")
    return doubts


def sha_hex(subject):
    return hashlib.sha256((subject["iss"] + "\0" + subject["sub"]).encode()).hexdigest()[:32]


def verdict(*session):
    try:
        doubts = verify(*session)
        return ("unproven", doubts[0]) if doubts else ("proven", "")
    except Invalid as reason:
        return "invalid", str(reason)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as reason:
        return "invalid", "a field is missing or of another type: %r" % reason


def segment_lines(name):
    with open(name, "rb") as file:
        data = file.read()
    member = zlib.decompressobj(31)
    text = member.decompress(data).decode("utf-8")
    need(member.eof and not member.unused_data, "end of the gzip member %s" % name)
    need(text.endswith("\n"), "end of %s" % name)
    return text[:-1].split("\n")


if __name__ == "__main__":
    codes = {"proven": 0, "invalid": 1, "unproven": 2}
    if os.path.isdir(sys.argv[1]):
        path = os.path.normpath(sys.argv[1])
        files = sorted(glob.glob(os.path.join(path, "*.jsonl.gz")))
        with open(sys.argv[2], encoding="utf-8") as file:
            issuer_keys = json.load(file)["keys"]
        found, why = verdict(os.path.basename(path), os.path.basename(os.path.dirname(path)), [segment_lines(name) for name in files], issuer_keys)
        print(json.dumps({"verdict": found, "why": why}))
        raise SystemExit(codes[found])
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    for case in cases:
        found, why = verdict(case["sid"], case["subject"], case["segments"], case["issuerKeys"]["keys"])
        print(json.dumps({"name": case["name"], "verdict": found, "why": why}))

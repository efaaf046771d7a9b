#!/usr/bin/env python3
"""Verifies dbguard transcripts, written from src/transcript/FORMAT.md alone. Standard library only; shares no code with dbguard.

    verify.py SESSIONS.jsonl            a session a line: {"name", "sid", "subject", "segments", "issuerKeys", "reader"}; one verdict a line
    verify.py FOLDER JWKS.json CLIENT   v1/<subject>/<sid>, as it lies in a bucket, and dbguard's client at the issuer
    verify.py --keys KEYS.jsonl         an issuer's key a line: what is wrong with it, or null
Verdicts: proven (exit code 0), invalid (1), unproven (2), local (2). `reader` is what the reader demands: {"issuer", "clientId", "audience",
"workloadIssuers", "maxLoginAgeMs", "minimumLevel", "identityRequired", "revoked": {object name: content}}, each optional. One session at a time: no redactions, no bucket
times, nothing between sessions.
"""
import base64, datetime, glob, hashlib, json, math, os, re, sys, unicodedata, zlib

HEAD = "application/vnd.dbguard.head.v1+json"
CERTIFICATE = "application/vnd.dbguard.session-certificate.v1+json"
LEVELS, LOCAL = ("nonce", "dpop", "audience", "gateway", "asserted", "local"), "dbguard:local"
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


# NIST's curves, FIPS 186 and SP 800-186: p, b, order, generator.
CURVES = {
    "P-256": (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5),
    "P-384": (
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F),
    "P-521": (
        2**521 - 1,
        0x051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
        0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
        0x0C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66,
        0x11839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650),
}


def ec_add(p, a, b):
    """Affine; None is infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % p == 0:
        return None
    slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], p - 2, p) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], p - 2, p)
    x = (slope * slope - a[0] - b[0]) % p
    return x, (slope * (a[0] - x) - a[1]) % p


def ec_multiply(p, scalar, point):
    result = None
    while scalar:
        if scalar & 1:
            result = ec_add(p, result, point)
        point, scalar = ec_add(p, point, point), scalar >> 1
    return result


def number(jwk, name):
    return int.from_bytes(b64(jwk[name]), "big")


def ec_signed(jwk, hashed, signature):
    """RFC 7518 section 3.4."""
    p, _, order, x, y = CURVES[jwk["crv"]]
    half = (p.bit_length() + 7) // 8
    if len(signature) != 2 * half:
        return False
    r, t = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    if not (0 < r < order and 0 < t < order):
        return False
    z = int.from_bytes(hashed, "big") >> max(0, 8 * len(hashed) - order.bit_length())
    w = pow(t, order - 2, order)
    point = ec_add(p, ec_multiply(p, z * w % order, (x, y)), ec_multiply(p, r * w % order, (number(jwk, "x"), number(jwk, "y"))))
    return point is not None and point[0] % order == r


def rsa_opened(jwk, signature):
    n, e = number(jwk, "n"), number(jwk, "e")
    size = (n.bit_length() + 7) // 8
    value = int.from_bytes(signature, "big")
    return n, pow(value, e, n).to_bytes(size, "big") if len(signature) == size and value < n else b""


# DER of DigestInfo, RFC 8017 section 9.2.
DIGEST_INFO = {"256": "3031300d060960864801650304020105000420", "384": "3041300d060960864801650304020205000430", "512": "3051300d060960864801650304020305000440"}


def rsa_signed(jwk, bits, hashed, signature):
    """RFC 8017 section 8.2.2."""
    _, block = rsa_opened(jwk, signature)
    info = bytes.fromhex(DIGEST_INFO[bits]) + hashed
    return block == b"\0\1" + b"\xff" * (len(block) - len(info) - 3) + b"\0" + info


def pss_signed(jwk, bits, hashed, signature):
    """RFC 8017 section 9.1.2, with a salt as long as the hash (RFC 7518 section 3.5)."""
    def digest(data):
        return hashlib.new("sha" + bits, data).digest()

    n, block = rsa_opened(jwk, signature)
    size, spare = len(hashed), 8 * len(block) - (n.bit_length() - 1)
    if spare == 8:
        block, spare = block[1:] if block[:1] == b"\0" else b"", 0
    if len(block) < 2 * size + 2 or block[-1] != 0xBC:
        return False
    masked, seed = block[: -size - 1], block[-size - 1 : -1]
    mask = b"".join(digest(seed + i.to_bytes(4, "big")) for i in range(len(masked) // size + 1))[: len(masked)]
    data = bytearray(a ^ b for a, b in zip(masked, mask))
    if masked[0] >> (8 - spare):
        return False
    data[0] &= 0xFF >> spare
    padding = len(data) - size
    return data[:padding] == b"\0" * (padding - 1) + b"\1" and digest(b"\0" * 8 + hashed + data[padding:]) == seed


ROCA = [(prime, {pow(65537, i, prime) for i in range(prime)}) for prime in (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)]


def check_issuer_key(jwk):
    """Of one that may be used for this signature."""
    need(not any(name in jwk for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")), "a private half")
    if jwk["kty"] == "OKP":
        public_key(jwk)
    elif jwk["kty"] == "EC":
        need(jwk["crv"] in CURVES, "curve")
        p, b = CURVES[jwk["crv"]][:2]
        need(all(len(b64(jwk[name])) == (p.bit_length() + 7) // 8 for name in "xy"), "length of a coordinate")
        x, y = number(jwk, "x"), number(jwk, "y")
        need(x < p and y < p and (y * y - x * x * x + 3 * x - b) % p == 0, "not a point of the curve")
    else:
        need(jwk["kty"] == "RSA" and all(b64(jwk[name])[:1] not in (b"", b"\0") for name in "ne"), "not a key")
        n, e = number(jwk, "n"), number(jwk, "e")
        need(2048 <= n.bit_length() <= 16384 and e % 2 == 1 and 3 <= e < 2**64, "modulus or exponent")
        need(all(n % factor for factor in range(2, 1000)), "a small factor")
        root = math.isqrt(n) + (math.isqrt(n) ** 2 < n)
        need(not any(math.isqrt(a * a - n) ** 2 == a * a - n for a in range(root, root + 100)), "two primes that lie close together")
        need(not all(n % prime in powers for prime, powers in ROCA), "CVE-2017-15361")


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


def a_list(check):
    return lambda value: isinstance(value, list) and all(check(one) for one in value)


def is_full_facts(value):
    return a_list(is_object)(value) or is_object(value) and is_text(value.get("unparseable"))


def is_facts(value):
    return is_full_facts(value) or is_count(value)


def is_span(value):
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def is_object(value):
    return isinstance(value, dict)


def is_bytes(length):
    return lambda value: is_text(value) and len(b64(value)) == length


def an_object(needed="", **known):
    return lambda value: is_object(value) and all(name in value for name in needed.split()) and all(known[name](value[name]) for name in known if name in value)


is_hidden = an_object("salt digest", salt=is_bytes(16), digest=is_bytes(32))


def table(strings, **types):
    return {**{name: is_text for name in strings.split()}, **types}


# What an entry of that kind is nothing without.
NEEDED = {
    "open": "v subject level clientId loggedInAt loginKey salt idToken sessionKey certificate version",
    "connection": "event", "verdict": "of decision by", "window": "event", "grant": "of role access", "dry-run": "of", "outcome": "of how", "network": "host port decision by",
    "recording": "event stream", "intent": "event agent", "redaction": "session of digests", "seal": "totals", "approval": "of id object envelope",
}
PROCESS = {"pid": is_count, "ancestors": a_list(is_text), **table("program agentSession trace")}
FIELDS = {
    "open": table(
        "clientId audience idToken accessToken version agent proof", v=lambda value: value == 1, loggedInAt=is_count, loginKey=is_object, sessionKey=is_object,
        certificate=is_object, salt=is_bytes(16), level=one_of(*LEVELS), method=one_of("device", "browser", "workload"),
        subject=an_object("iss sub", **table("iss sub email")), policy=an_object("name digest", **table("name digest")),
        connection=an_object("name", **table("name host database user serverVersion environment logLinePrefix logTimezone", port=is_count, access=one_of("on-request"))),
        previous=an_object("sid", sid=is_text, size=is_count, head=is_text),
        gateway=an_object(
            "subject level clientId loggedInAt idToken", subject=an_object("iss sub", **table("iss sub email")), level=one_of("nonce", "dpop", "audience", "asserted"),
            loggedInAt=is_count, **table("clientId audience idToken accessToken"))),
    "connection": table("user loopbackUser role database applicationName address reason", event=one_of("open", "process", "close", "own"), conn=is_count, backendPid=is_count, window=is_count, **PROCESS),
    "intent": table("agent session call tool", event=one_of("prompt", "tool"), prompt=is_count, dropped=is_count, **PROCESS),
    "parse": table("", hidden=is_hidden, conn=is_count, text=is_count, facts=is_facts),
    "statement": table(
        "name portal rule", tx=one_of("I", "T", "E"), hidden=is_hidden, conn=is_count, text=is_count, continues=is_count, facts=is_facts, hex=a_list(is_count),
        intent=is_count, fit=one_of("process", "text", "session", "time", "other"), protocol=one_of("execute", "function", "connection"), decision=one_of("allow", "ask", "second-person", "deny")),
    "dry-run": table("", of=is_count),
    "approval": table("id", of=is_count, object=one_of("request", "verdict", "claim"), envelope=is_object),
    "verdict": table(
        "channel name rule shown", of=is_count, under=is_count, waitedMs=is_span, by=one_of(
            "person", "second-person", "rule", "earlier-approval", "earlier-denial", "timeout", "disconnect", "cancel", "nobody"), estimatedRows=is_number,
        decision=one_of("allow", "deny", "abort"), scope=one_of("once", "session", "transaction")),
    "window": table("access role channel connection", of=is_count, forMs=is_count, event=one_of("open", "end"), why=one_of("time", "person")),
    "grant": table("role access", of=is_count, window=is_count, lacking=a_list(is_text)),
    "outcome": table(
        "tag sqlstate role", tx=one_of("I", "T", "E"), of=is_count, tags=is_count, rows=is_count, bytes=is_count, us=is_span, masked=a_list(is_text), inferred=a_list(is_text), detected=a_list(is_text),
        how=one_of("done", "failed", "skipped", "rejected", "lost", "undone")),
    "recording": table(
        "", event=one_of("begin", "chunk", "end"), stream=one_of("results", "terminal"), keepDays=is_count, maxRows=is_count, maxBytes=is_count,
        recipients=a_list(is_text), chunk=is_count, digest=is_bytes(32), size=is_count, why=one_of("session", "failed")),
    "network": table("host channel rule", port=is_count, decision=one_of("allow", "deny"), waitedMs=is_span, by=one_of(
        "person", "second-person", "rule", "earlier-approval", "earlier-denial", "timeout", "disconnect", "cancel", "nobody")),
    "heartbeat": {},
    "redaction": table("session reason", of=is_count, digests=is_object),
    "seal": {"totals": is_object, "final": lambda value: value is True},
}


DISCLOSABLE = {"connection": ("arguments",), "intent": ("said",), "parse": ("sql",), "statement": ("sql", "bind"), "verdict": ("reason",), "grant": ("reason",), "network": ("reason",), "approval": ("shown",)}
NEVER_ALLOW = ("earlier-denial", "timeout", "disconnect", "cancel", "nobody")


def check_bytes(places, values):
    need(places == sorted(set(places)), "order of hex")
    for place in places:
        value = values[place] if place < len(values) else None
        need(is_text(value) and re.fullmatch(r"\\x([0-9a-f]{2})*", value), "value %d is not written as bytes" % place)


class Statements:
    """What no honest writer writes."""

    def __init__(self):
        self.texts, self.facts, self.all, self.through, self.owed = set(), set(), set(), set(), {}
        self.approved, self.covering, self.roles, self.requests, self.windows, self.second = set(), set(), {}, {}, {}, {}
        self.connection, self.asks, self.times, self.clients, self.recordings, self.intents = {}, set(), {}, {}, {}, {}

    def text(self, n, entry):
        if entry["k"] == "statement":
            need("continues" not in entry or "bind" not in entry.get("c", {}), "values of entry %d, which continues another one" % n)
            need("hex" not in entry or "bind" in entry.get("c", {}), "entry %d has no values to be bytes" % n)
        need(sum(("sql" in entry.get("c", {}), "text" in entry, "continues" in entry)) == 1, "texts of entry %d" % n)
        need("text" not in entry or entry["text"] in self.texts, "text of entry %d" % n)
        need("continues" not in entry or entry["continues"] in self.through, "entry %d continues nothing" % n)
        need(not is_count(entry.get("facts")) or entry["facts"] in self.facts, "facts of entry %d" % n)
        if "sql" in entry.get("c", {}):
            self.texts.add(n)
        if is_full_facts(entry.get("facts")):
            self.facts.add(n)

    def in_time(self, window, n, entry):
        need(window in self.times, "entry %d in no time that was granted" % n)
        need(entry["t"] <= self.times[window] + 60000000, "entry %d behind the end of its time" % n)

    def add(self, n, entry):
        kind, of = entry["k"], entry.get("of")
        need(kind != "redaction", "entry %d is a redaction" % n)
        if kind in ("parse", "statement"):
            self.text(n, entry)
        if kind == "open":
            self.connection = entry.get("connection", {})
        elif kind == "connection" and entry["event"] == "close":
            self.clients.pop(entry.get("conn"), None)
        elif kind == "connection" and entry["event"] == "open":
            need("window" in entry or "access" not in self.connection, "client of entry %d, which nobody has granted" % n)
            if "window" in entry:
                self.in_time(entry["window"], n, entry)
                self.clients[entry.get("conn")] = entry["window"]
        elif kind == "intent":
            need("said" in entry.get("c", {}), "intent %d says nothing" % n)
            need("prompt" not in entry or entry["event"] == "tool" and self.intents.get(entry["prompt"]) == "prompt", "prompt of intent %d" % n)
            self.intents[n] = entry["event"]
        if kind == "statement":
            need(("intent" in entry) == ("fit" in entry), "fit of statement %d" % n)
            need("intent" not in entry or entry["intent"] in self.intents, "intent of statement %d" % n)
            if entry.get("protocol") == "connection":
                self.asks.add(n)
            elif entry.get("conn") in self.clients:
                self.in_time(self.clients[entry.get("conn")], n, entry)
            decision = "allow" if "continues" in entry else entry.get("decision")
            need(decision is not None, "statement %d has no decision" % n)
            need("continues" not in entry or "decision" not in entry, "statement %d continues another one, and decides" % n)
            if decision == "allow":
                self.through.add(n)
            self.all.add(n)
            if decision == "second-person":
                self.second[n] = entry.get("rule")
            self.owed[n] = decision
        elif kind in ("verdict", "outcome", "dry-run", "grant", "approval"):
            need(of in self.all, "entry %d is of no statement" % n)
            state = self.owed.get(of)
            need(state is not None, "entry %d comes too late" % n)
            if kind == "dry-run":
                need(state in ("ask", "second-person"), "dry run %d" % n)
            elif kind == "approval":
                need(state in ("ask", "second-person") and "envelope" in entry, "approval %d" % n)
                before = self.requests.get(of)
                if entry["object"] == "request":
                    need(before is None and "id" in entry, "second request %d" % n)
                    self.requests[of] = {"id": entry["id"], "verdict": False, "claim": False}
                else:
                    need(before is not None and before["id"] == entry.get("id") and not before["claim"], "order of approval %d" % n)
                    before[entry["object"]] = True
            elif kind == "grant":
                if "window" in entry:
                    window = self.windows.get(entry["window"])
                    need(window is not None and window[:2] == (entry["access"], entry["role"]), "grant %d in no window" % n)
                    need(entry["t"] <= window[2] + 1000000, "grant %d in a window that was over" % n)
                else:
                    need(of in self.approved, "grant %d that nobody has approved" % n)
                need(state == "allow" and of not in self.roles, "grant %d of what has not been let through" % n)
                self.roles[of] = entry["role"]
            elif kind == "verdict":
                request = self.requests.pop(of, {"verdict": False, "claim": False})
                if entry["decision"] == "allow" and entry.get("by") in ("person", "earlier-approval"):
                    need(self.second.get(of) is None or self.second[of] != entry.get("rule"), "verdict %d where a second person was needed" % n)
                if entry.get("by") == "second-person":
                    need(request["claim" if entry["decision"] == "allow" else "verdict"], "verdict %d by nobody's word" % n)
                wrong = NEVER_ALLOW if entry["decision"] == "allow" else ("earlier-approval",)
                need(entry.get("by") not in wrong, "verdict %d is by somebody who never decides so" % n)
                need(state != "allow", "verdict %d of what was let through" % n)
                need("under" not in entry or entry["under"] in self.covering and entry["decision"] == "allow", "verdict %d is under nothing" % n)
                need(("under" in entry) == (entry.get("scope") == "transaction"), "verdict %d is of half a transaction" % n)
                if entry["decision"] == "allow":
                    need(state != "deny", "verdict %d lets through what was denied" % n)
                    self.through.add(of)
                    if entry["by"] in ("person", "second-person") and entry.get("scope") != "session" and "under" not in entry:
                        self.approved.add(of)
                    if entry["by"] in ("person", "second-person", "earlier-approval") and "under" not in entry:
                        self.covering.add(of)
                    self.owed[of] = "allow"
                else:
                    del self.owed[of]
            else:
                granted = self.roles.pop(of, None)
                self.requests.pop(of, None)
                need("role" not in entry or granted is not None, "outcome %d ran as a role that nobody granted" % n)
                ran = entry["how"] in ("done", "failed", "lost", "undone")
                need(not ran or entry.get("role") == granted, "outcome %d ran as another role" % n)
                need(state == "allow" or entry["how"] in ("skipped", "rejected"), "outcome %d of what was not let through" % n)
                del self.owed[of]
        elif kind == "window" and entry["event"] == "end":
            need("why" in entry, "end %d says no reason" % n)
            need(self.times.pop(of, None) or self.windows.pop(of, None) is not None, "end %d of no window" % n)
        elif kind == "window" and "connection" in entry:
            need("forMs" in entry and "channel" in entry and "access" not in entry and "role" not in entry, "window %d says too little, or too much" % n)
            need(entry["connection"] == self.connection.get("name"), "window %d is for another connection" % n)
            need("of" not in entry or (of in self.asks and of in self.approved and of in self.owed), "window %d with what nobody approved" % n)
            need(not self.times, "window %d is open already" % n)
            self.times[n] = entry["t"] + entry["forMs"] * 1000
        elif kind == "window":
            need(all(name in entry for name in ("access", "role", "forMs", "channel")), "window %d says too little" % n)
            need("of" not in entry or (of in self.approved and of in self.owed and of not in self.asks), "window %d with what nobody approved" % n)
            need(all(entry["access"] != window[0] for window in self.windows.values()), "window %d is open already" % n)
            self.windows[n] = (entry["access"], entry["role"], entry["t"] + entry["forMs"] * 1000)
        elif kind == "recording" and entry["event"] == "begin":
            need(entry["stream"] not in self.recordings, "recording %d begins again" % n)
            self.recordings[entry["stream"]] = 0
        elif kind == "recording":
            comes = self.recordings.get(entry["stream"])
            need(comes is not None, "recording %d of what is not under way" % n)
            need(all(name in entry for name in (("chunk", "digest", "size") if entry["event"] == "chunk" else ("why",))), "recording %d says too little" % n)
            need(entry["event"] == "end" or entry["chunk"] == comes, "recording %d is not the chunk that comes" % n)
            self.recordings[entry["stream"]] = comes + 1 if entry["event"] == "chunk" else None
        elif kind == "seal" and entry.get("final"):
            need(not any(comes is not None for comes in self.recordings.values()), "sealed, and a recording has no end")
            need(not self.owed, "sealed, and statements wait: %s" % sorted(self.owed)[:3])


LOOKS_LATIN = "аАВвеЕЗіІјЈкКмМНнһҺоОрРсСтТуУхХѕЅԁԛԜԝԚьӏӀαΑΒεΕΖΗιΙκΚΜνΝοΟρΡτΤυΥχΧϲϳօսհցոՕՍ"
UNSEEN = ("Cc", "Cf", "Cn", "Co", "Cs", "Zs", "Zl", "Zp")
# Default_Ignorable_Code_Point that is of none of these categories
IGNORABLE = {0x2800, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, *range(0xFE00, 0xFE10), 0xFFA0, *range(0xE0100, 0xE01F0)}


def looks_like_another(name):
    """Unicode Standard Annexes 15 and 24, as far as Python knows them: it has no scripts, and names that begin with them."""
    script = lambda letter: unicodedata.name(letter, "").split(" ")[0]
    words = re.findall(r"[^\W_]+|_", name)
    mixed = any({"LATIN"} < {script(c) for c in word} & {"LATIN", "CYRILLIC", "GREEK"} for word in re.findall(r"\w+", name))
    return (
        any(unicodedata.category(c) in UNSEEN or ord(c) in IGNORABLE for c in name)
        or mixed or unicodedata.normalize("NFKC", name) != name
        or any(all(script(c) == "LATIN" for c in word) for word in words) and any(all(c in LOOKS_LATIN for c in word) for word in words)
    )


KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
EDWARDS = ("EdDSA", "Ed25519")


def may_verify(key, alg):
    """`use`, `key_ops` and `alg`, RFC 7517 section 4."""
    operations = key.get("key_ops")
    return (
        key.get("kty") == KINDS[alg[:2]] and key.get("use", "sig") == "sig"
        and (not isinstance(operations, list) or "verify" in operations)
        and (key.get("alg", alg) == alg or alg in EDWARDS and key["alg"] in EDWARDS)
    )


def fits(key, alg, message, signature):
    if alg in EDWARDS:
        return signed_by(public_key(key), message, signature)
    bits = alg[2:]
    hashed = hashlib.new("sha" + bits, message).digest()
    if alg[:2] == "ES":
        return key["crv"] == {"256": "P-256", "384": "P-384", "512": "P-521"}[bits] and ec_signed(key, hashed, signature)
    return (rsa_signed if alg[:2] == "RS" else pss_signed)(key, bits, hashed, signature)


def check_token(token, issuer_keys, issuer, at, meant=None):
    """`meant` takes the keys that may have signed it: then the signature is somewhere else."""
    need(len(token) <= 65536, "length of a token")
    parts = token.split(".")
    need(len(parts) == 3, "not a JWT")
    head, message, signature = parse(b64(parts[0])), (parts[0] + "." + parts[1]).encode(), b64(parts[2])
    claims = parse(b64(parts[1]))
    need(isinstance(head, dict) and isinstance(claims, dict), "parts of a JWT")
    alg, kid = head["alg"], head.get("kid")
    need(all(isinstance(head.get(name, ""), str) for name in ("alg", "kid", "typ")), "header of a JWT")
    need(alg in EDWARDS or re.fullmatch("(RS|PS|ES)(256|384|512)", alg), "algorithm")
    need("crit" not in head, "critical extension")
    named = [key for key in issuer_keys if kid is None or key.get("kid") in (None, kid)]
    usable = [key for key in named if may_verify(key, alg)]
    sound, weak = [], None
    for key in usable:
        try:
            check_issuer_key(key)
            sound.append(key)
        except Invalid as reason:
            weak = reason
    if not sound:
        need(weak is None, "the issuer's key proves nothing: %s" % weak)
        need(not named or kid is None, "a key for something else")
        raise Unproven("no key for the token")
    if meant is not None:
        meant.extend(sound)
    elif not any(fits(key, alg, message, signature) for key in sound):
        need(kid is None, "the issuer's signature")
        raise Unproven("no key for the token")
    need(claims["iss"] == issuer, "issuer")
    need(all(is_number(claims[name]) for name in ("iat", "exp")), "times of the token")
    need(claims["iat"] - SKEW <= at / 1000 <= claims["exp"] + SKEW and claims.get("nbf", 0) - SKEW <= at / 1000, "time of the login")
    return head, claims


def thumbprint(jwk):
    return hashlib.sha256(json.dumps({"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"]}, separators=(",", ":")).encode()).digest()


def confirmed(value):
    return value is True or value == 1 or isinstance(value, str) and value.lower() in ("true", "1")


def check_revoked(entry, revoked):
    """An object that cannot be read revokes for all time."""
    key = b64e(thumbprint(entry["loginKey"]))
    for name, content in revoked.items():
        if re.fullmatch(r"revoked/%s-[0-9a-f]{16}\.json" % re.escape(key), name) is None:
            continue
        try:
            since = datetime.datetime.fromisoformat(parse(content)["since"].replace("Z", "+00:00")).timestamp()
        except (Invalid, KeyError, TypeError, ValueError, AttributeError):
            since = 0
        need(entry["t"] / 1e6 < since, "the login key is revoked")


def power_proof(text, proof, session, key):
    """Sixteen rounds of Guillou and Quisquater: whoever made this knows the signature over the text."""
    n, size = int.from_bytes(b64(key["n"]), "big"), len(b64(key["n"]))
    proof, info = b64(proof), bytes.fromhex("3031300d060960864801650304020105000420")
    need(len(proof) == 32 + 16 * size, "length of the proof")
    encoded = b"\0\1" + b"\xff" * (size - 3 - len(info) - 32) + b"\0" + info + hashlib.sha256(text).digest()
    inverse, commitments = pow(int.from_bytes(encoded, "big"), -1, n), []
    for i in range(16):
        answer = int.from_bytes(proof[32 + i * size:32 + (i + 1) * size], "big")
        need(0 < answer < n, "an answer of the proof")
        challenge = int.from_bytes(proof[2 * i:2 * i + 2], "big")
        commitments.append((pow(answer, 65537, n) * pow(inverse, challenge, n) % n).to_bytes(size, "big"))
    said = b"dbguard-token-proof-v1\0" + session + hashlib.sha256(text).digest() + b"".join(commitments)
    return hashlib.sha256(said).digest() == proof[:32]


def holds_proof(text, proof, session, key):
    try:
        return power_proof(text, proof, session, key)
    except (Invalid, ValueError, OverflowError):
        return False


def gateway_level(entry, issuer_keys, reader, doubts):
    need("gateway" in entry and entry["level"] == "gateway", "half a gateway")
    gateway, subject, at = entry["gateway"], entry["subject"], entry["loggedInAt"]
    own = {**{name: entry[name] for name in ("t", "loginKey", "salt")}, **gateway}
    more, whose = [], None
    try:
        whose = level_of(own, issuer_keys, reader, more)
        need(whose != "asserted" or gateway["level"] in ("asserted", "audience"), "the gateway claims a better level")
        need(LEVELS.index(whose) <= LEVELS.index(reader.get("minimumLevel", "local")), "level of the gateway")
    except Unproven as reason:
        more.append(str(reason))
    doubts.extend(more + (["level asserted"] if whose == "asserted" else []))
    known, workloads = reader.get("gateway"), reader.get("workloadIssuers", [])
    if known is None or gateway["subject"]["sub"] not in known["subjects"]:
        raise Unproven("a gateway that the reader has not named")
    issuers = [*workloads, *([reader["issuer"]] if "issuer" in reader else [])]
    if issuers and subject["iss"] not in issuers:
        raise Unproven("an issuer that the reader does not know")
    need(entry.get("audience") == known["audience"], "audience of the gateway")
    need(-SKEW <= entry["t"] / 1e6 - at / 1000 <= 300 + SKEW, "the token was shown at another time")
    need(entry["idToken"].endswith("."), "the token has its signature")
    keys = []
    head, claims = check_token(entry["idToken"], issuer_keys, subject["iss"], at, keys)
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    need(known["audience"] in audience, "audience")
    need("events" not in claims and claims.get("typ") not in ("Refresh", "Offline", "Logout", "Serialized-ID"), "no token to log in with")
    need(not re.fullmatch(r"(?i)(logout|secevent)\+jwt", head.get("typ", "")) and "cnf" not in claims, "no token to log in with")
    clients = [claims[name] for name in ("azp", "client_id", "appid") if name in claims]
    need(all(map(is_text, clients)) and len(set(clients)) < 2, "clients of the token")
    if subject["iss"] not in workloads:
        need(clients or len(audience) == 1, "no client")
        need(not clients or clients[0] in known["clients"], "another client")
    provable = [key for key in keys if head["alg"] == "RS256" and key["kty"] == "RSA" and b64(key["e"]) == b"\1\0\1"]
    text, session = entry["idToken"][:-1].encode(), b64(entry["sessionKey"]["x"])
    proven = "proof" in entry and any(holds_proof(text, entry["proof"], session, key) for key in provable)
    if not proven and ("proof" in entry or provable):
        need(head.get("kid") is None, "proof of the issuer's signature")
        raise Unproven("no key for the proof")
    check_names(claims, subject, doubts)
    if whose in (None, "asserted"):
        return None
    if not proven:
        raise Unproven("only the gateway says that the issuer signed the token")
    return "gateway"


def check_names(claims, subject, doubts):
    need(claims["sub"] == subject["sub"], "subject")
    verified = all(confirmed(claims[name]) for name in ("email_verified", "xms_edov") if name in claims)
    need((claims.get("email") if verified else None) == subject.get("email"), "e-mail")
    if any(looks_like_another(name) for name in (subject["sub"], subject.get("email", ""))):
        doubts.append("a name that looks like another one")


def level_of(entry, issuer_keys, reader, doubts):
    if "gateway" in entry or entry["level"] == "gateway":
        return gateway_level(entry, issuer_keys, reader, doubts)
    need("proof" not in entry, "a proof of nothing")
    subject, key, salt = entry["subject"], entry["loginKey"], b64(entry["salt"])
    workloads = reader.get("workloadIssuers", [])
    issuers = [*workloads, *([reader["issuer"]] if "issuer" in reader else [])]
    if entry["level"] == "local" or subject["iss"] == LOCAL:
        need(entry["level"] == "local" and subject == {"iss": LOCAL, "sub": "local:" + b64e(thumbprint(key))}, "a local key is nobody but itself")
        need(entry["clientId"] == entry["idToken"] == "" and not any(name in entry for name in ("audience", "accessToken", "method")), "words of an issuer beside a local key")
        need(entry["t"] / 1000 >= entry["loggedInAt"], "the session began before its key was made")
        need(not reader.get("identityRequired") and reader.get("minimumLevel", "asserted" if issuers else "local") == "local", "nobody vouches for the key")
        return "local"
    if issuers and subject["iss"] not in issuers:
        raise Unproven("an issuer that the reader does not know")
    ours, workload = entry.get("audience", entry["clientId"]), subject["iss"] in workloads
    wanted = reader.get("audience", reader.get("clientId"))
    need(entry["clientId"] == reader.get("clientId", entry["clientId"]), "client")
    need("audience" not in entry or wanted is None or ours == wanted, "audience of the reader")
    if "clientId" not in reader and entry.get("audience") != reader.get("audience", ""):
        doubts.append("a client that the reader has not named")
    head, claims = check_token(entry["idToken"], issuer_keys, subject["iss"], entry["loggedInAt"])
    if not workload:
        need(not str(head.get("typ", "")).lower().endswith("+jwt") and not claims.get("events"), "no ID token")
        need(claims.get("typ") not in ("Bearer", "DPoP", "Refresh", "Offline", "Logout", "Serialized-ID"), "no ID token")
    check_names(claims, subject, doubts)
    most = reader.get("maxLoginAgeMs", 30 * 86_400_000) / 1000
    need(-SKEW <= entry["t"] / 1e6 - claims["iat"] <= most + SKEW, "the session began before the login, or long after it")
    need(len(salt) == 16, "length of the salt")
    nonce = sha(b"dbguard-bind-v1\0", thumbprint(key), salt)
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    bound = ours + ":" + nonce in audience
    need(ours in audience or bound, "audience")
    need(all(one == ours + ":" + nonce or not re.fullmatch(re.escape(ours) + ":[A-Za-z0-9_-]{43}", one) for one in audience), "bound to another key")
    if ours in audience and not workload:
        need(claims.get("azp", ours if len(audience) == 1 else None) == ours, "authorized party")
    need(claims.get("nonce", nonce) == nonce, "the token binds another key")
    if bound or "nonce" in claims:
        return "nonce"
    if "accessToken" not in entry:
        return "audience" if workload else "asserted"
    access = check_token(entry["accessToken"], issuer_keys, subject["iss"], entry["loggedInAt"])[1]
    need(access["sub"] == subject["sub"] and access.get("client_id", access.get("azp")) == ours, "access token")
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


def mailbox(email):
    return re.sub(r"\+[^@]*(?=@)", "", unicodedata.normalize("NFKC", email).lower().strip())


def same_person(a, b):
    return (a["iss"], a["sub"]) == (b["iss"], b["sub"]) or "email" in a and "email" in b and mailbox(a["email"]) == mailbox(b["email"])


DAY = 86_400_000


class Approvals:
    """A second person's approval."""

    def __init__(self, sid, issuer_keys, reader, doubts):
        self.sid, self.issuer_keys, self.reader, self.doubts = sid, issuer_keys, reader, doubts
        self.asked, self.open, self.roles, self.used = {}, {}, {}, set()

    def read(self, part, envelope, key=None, max_age=None):
        need(envelope["payloadType"] == "application/vnd.dbguard.approval-%s.v1+json" % part and len(envelope["signatures"]) == 1, "envelope of the " + part)
        payload = base64.b64decode(envelope["payload"])
        claims, level = parse(payload), None
        need(claims["v"] == 1, "version of the " + part)
        if part != "claim":
            need(is_count(claims["at"]), "time of the " + part)
            who = {**claims["who"], "t": claims["at"] * 1000}
            key, not_after = session_key(who, claims["sid"])
            need(claims["at"] <= not_after, "the certificate had expired")
            check_revoked(who, self.reader.get("revoked", {}))
            doubts = []
            try:
                level = level_of(who, self.issuer_keys, {**self.reader, **({} if max_age is None else {"maxLoginAgeMs": max_age})}, doubts)
            except Unproven as reason:
                doubts.append(str(reason))
            need(level != "asserted" or who["level"] in ("asserted", "audience"), "the %s claims a better level" % part)
            need(who["level"] != "local", "nobody vouches for the key that signed the " + part)
            self.doubts.extend(doubts + (["level asserted"] if level == "asserted" else []))
        need(signed_by(key, pae(envelope["payloadType"], payload), base64.b64decode(envelope["signatures"][0]["sig"])), "signature of the " + part)
        return claims, sha(payload), level

    def request(self, entry, opening, shown):
        claims, digest, _ = self.read("request", entry["envelope"])
        demands, subject = claims["demands"], claims["who"]["subject"]
        need(entry["id"] == claims["id"], "id of the request")
        need((subject["iss"], subject["sub"]) == (opening["subject"]["iss"], opening["subject"]["sub"]), "somebody else's request")
        need(claims["connection"] == opening.get("connection", {}).get("name", claims["connection"]), "another connection")
        need(0 <= claims["expiresAt"] - claims["at"] <= DAY and 1 <= demands["min"] <= 10 and demands["approvers"], "demands")
        need(demands["level"] in ("nonce", "dpop") and demands["validFor"] <= DAY, "demands")
        need("shown" in entry.get("c", {}), "what was asked")
        sql, bind = self.asked[entry["of"]]
        need(sql != "elsewhere", "statement without a text of its own")
        if shown is not None and sql is not None and bind is not None:
            about = parse(shown)
            need(sha(shown) == claims["shown"], "another text than was signed")
            need(about["sql"] == sql and about.get("bind", []) == bind, "another statement than was asked about")
        self.open[entry["of"]] = {"claims": claims, "digest": digest, "verdicts": []}

    def verdict(self, entry, request):
        demands = request["claims"]["demands"]
        claims, digest, level = self.read("verdict", entry["envelope"], None, demands["maxAge"])
        subject = claims["who"]["subject"]
        need(claims["id"] == request["claims"]["id"] and claims["request"] == request["digest"], "about another request")
        need(request["claims"]["at"] - SKEW * 1000 <= claims["at"] <= request["claims"]["expiresAt"], "time of the verdict")
        need(claims["decision"] in ("allow", "deny"), "decision")
        need(not same_person(subject, request["claims"]["who"]["subject"]), "approved by who asked")
        token = parse(b64(claims["who"]["idToken"].split(".")[1]))
        groups = [one for name in ("groups", "roles") if isinstance(token.get(name), list) for one in token[name]]
        email = subject.get("email", "").lower()
        need(any(one[6:] in groups if one.startswith("group:") else one.lower() == email != "" for one in demands["approvers"]), "none of the approvers")
        need(level in (None, "nonce") or level == demands["level"], "level of the approver")
        request["verdicts"].append((claims, digest))

    def claim(self, entry, request, key):
        claims, _, _ = self.read("claim", entry["envelope"], key)
        need((claims["sid"], claims["of"]) == (self.sid, entry["of"]), "claim for another statement")
        need(claims["id"] == request["claims"]["id"] and claims["request"] == request["digest"], "claim of another request")
        need(sorted(claims["verdicts"]) == sorted(digest for _, digest in request["verdicts"]), "claim of other verdicts")
        for verdict, _ in request["verdicts"]:
            need(-SKEW * 1000 <= claims["at"] - verdict["at"] <= request["claims"]["demands"]["validFor"] + SKEW * 1000, "time of the claim")
        need(claims["id"] not in self.used, "used twice")
        self.used.add(claims["id"])

    def add(self, entry, opening, values, key):
        n, kind, of = entry["n"], entry["k"], entry.get("of")
        if kind == "statement" and entry.get("decision") != "allow":
            commitments = entry.get("c", {})
            self.asked[n] = (values.get("sql") if "sql" in commitments else "elsewhere", values.get("bind") if "bind" in commitments else [])
        elif kind == "approval":
            if entry["object"] == "request":
                self.request(entry, opening, values.get("shown"))
            elif entry["object"] == "verdict":
                self.verdict(entry, self.open[of])
            else:
                self.claim(entry, self.open[of], key)
        elif kind == "verdict":
            request = self.open.pop(of, None)
            if request and entry.get("by") == "second-person":
                people, decisions = [], [claims["decision"] for claims, _ in request["verdicts"]]
                for claims, _ in request["verdicts"]:
                    if not any(same_person(claims["who"]["subject"], one) for one in people):
                        people.append(claims["who"]["subject"])
                if entry["decision"] == "allow":
                    need("deny" not in decisions and len(people) >= request["claims"]["demands"]["min"], "approved by too few")
                    self.roles[of] = request["claims"].get("role")
                else:
                    need("deny" in decisions, "denied by nobody")
        elif kind == "grant" and of in self.roles:
            need(self.roles[of] == entry["role"], "another role than was approved")


def verify(sid, folder, segments, issuer_keys, reader):
    """Lists what is not proven; raises Invalid."""
    doubts, head, n, signed, sealed, t = [], sha("dbguard-transcript-v1\0", sid), 0, 0, None, 0
    totals, statements, key, not_after = {"statements": 0, "asked": 0, "denied": 0}, Statements(), None, 0
    approvals, opening = Approvals(sid, issuer_keys, reader, doubts), {}
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
                opening = entry
                need(entry["v"] == 1, "version")
                need(sha_hex(entry["subject"]) == folder, "folder of another subject")
                before = entry.get("previous", {})
                need(before.get("sid") != sid, "comes after itself")
                need(("size" in before) == ("head" in before), "half an end of the session before")
                born = sum(CROCKFORD.index(c) * 32 ** (9 - i) for i, c in enumerate(sid[:10]))
                need(abs(born - entry["t"] / 1000) <= HOUR, "time in the session's id")
                key, not_after = session_key(entry, sid)
                check_revoked(entry, reader.get("revoked", {}))
                try:
                    level = level_of(entry, issuer_keys, reader, doubts)
                    need(level != "asserted" or entry["level"] in ("asserted", "audience"), "the session claims a better level")
                    need(level in (None, "gateway") or LEVELS.index(level) <= LEVELS.index(reader.get("minimumLevel", "local")), "level %s" % level)
                    if level in ("asserted", "local"):
                        doubts.append("level " + level)
                except Unproven as reason:
                    doubts.append(str(reason))
            commitments = entry.get("c", {})
            need([sha(one) for one in disclosures] == list(commitments.values()), "disclosures of entry %d" % n)
            need([parse(one)[1] for one in disclosures] == list(commitments), "names of disclosures of entry %d" % n)
            disclosed = {name: value for _, name, value in map(parse, disclosures)}
            wrong = [name for name, value in disclosed.items() if name in DISCLOSABLE.get(entry["k"], ()) and isinstance(value, str) == (name == "bind")]
            need(not wrong, "type of %s in entry %d" % (wrong, n))
            known = FIELDS.get(entry["k"])
            if known is None:
                doubts.append("kind " + entry["k"])
            else:
                wrong = [name for name in entry if name in known and not known[name](entry[name])]
                wrong += [name for name in NEEDED.get(entry["k"], "").split() if name not in entry]
                need(not wrong, "type of %s in entry %d" % (wrong, n))
            if entry["k"] == "statement" and "hex" in entry and "bind" in disclosed:
                check_bytes(entry["hex"], disclosed["bind"])
            statements.add(n, entry)
            approvals.add(entry, opening, {name: value for _, name, value in map(parse, disclosures)}, key)
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
        if doubts and all(doubt == "level local" for doubt in doubts):
            return "local", "nobody vouches for the key"
        return ("unproven", doubts[0]) if doubts else ("proven", "")
    except Invalid as reason:
        return "invalid", str(reason)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as reason:
        return "invalid", "a field is missing or of another type: %r" % reason


def segment_lines(name):
    """None of an object that is no segment: it says nothing about the session, neither way."""
    with open(name, "rb") as file:
        data = file.read()
    member = zlib.decompressobj(31)
    try:
        text = member.decompress(data)
        need(member.eof and not member.unused_data and text.endswith(b"\n"), "end of %s" % name)
        beside = re.fullmatch(r"\d{8}-([0-9a-f]{16})\.jsonl\.gz", os.path.basename(name))
        need(beside is None or beside[1] == hashlib.sha256(text).hexdigest()[:16], "name of %s" % name)
        return text.decode("utf-8")[:-1].split("\n")
    except (zlib.error, UnicodeDecodeError, Invalid) as reason:
        print("%s is no segment: %s" % (name, reason), file=sys.stderr)
        return []


if __name__ == "__main__":
    codes = {"proven": 0, "invalid": 1, "unproven": 2, "local": 2}
    if os.path.isdir(sys.argv[1]):
        path = os.path.normpath(sys.argv[1])
        files = sorted(glob.glob(os.path.join(path, "*.jsonl.gz")))
        with open(sys.argv[2], encoding="utf-8") as file:
            issuer_keys = json.load(file)["keys"]
        found, why = verdict(os.path.basename(path), os.path.basename(os.path.dirname(path)), [segment_lines(name) for name in files], issuer_keys, {"clientId": sys.argv[3]})
        print(json.dumps({"verdict": found, "why": why}))
        raise SystemExit(codes[found])
    if sys.argv[1] == "--keys":
        with open(sys.argv[2], encoding="utf-8") as file:
            for line in file:
                try:
                    check_issuer_key(json.loads(line))
                    print("null")
                except (Invalid, KeyError, TypeError) as reason:
                    print(json.dumps(repr(reason)))
        raise SystemExit(0)
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    for case in cases:
        found, why = verdict(case["sid"], case["subject"], case["segments"], case["issuerKeys"]["keys"], case["reader"])
        print(json.dumps({"name": case["name"], "verdict": found, "why": why}))

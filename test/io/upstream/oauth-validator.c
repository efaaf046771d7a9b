/*
 * The smallest OAuth validator of PostgreSQL 18 (manual, "OAuth Validator Modules"): "good.token" is good, and so is what
 * oidc-provider gives as an access token: 43 characters, never a JWT. Declared by hand,
 * since the server binaries come without headers; the server checks the magic values when it loads this.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

extern char *pstrdup(const char *text);

struct magic {
  int length;
  struct { int version, func_max_args, index_max_keys, namedatalen, float8byval; char extra[32]; } abi;
  const char *name, *module_version;
};

const struct magic *Pg_magic_func(void) {
  static const struct magic magic = { sizeof(struct magic), { 1800, 100, 32, 64, 1, "PostgreSQL" }, 0, 0 };
  return &magic;
}

struct result { bool authorized; char *authn_id; };

static bool validate(const void *state, const char *token, const char *role, struct result *result) {
  result->authorized = strcmp(token, "good.token") == 0 || (strlen(token) == 43 && !strchr(token, '.'));
  result->authn_id = pstrdup("oauthuser");
  return true;
}

struct callbacks {
  uint32_t magic;
  void (*startup)(void *);
  void (*shutdown)(void *);
  bool (*validate)(const void *, const char *, const char *, struct result *);
};

const struct callbacks *_PG_oauth_validator_module_init(void) {
  static const struct callbacks callbacks = { 0x20250220, 0, 0, validate };
  return &callbacks;
}

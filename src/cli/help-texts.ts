export const SETTINGS = `
Settings, from the environment or from ./.env, never from the command line, which others can read:
  HUB_URL         the hub to speak to (http://127.0.0.1:8000)
  HUB_TOKEN       a token of it; else HUB_TOKEN_FILE names a file with one, else,
                  for a hub on this machine, DATA_DIR/admin-token is read (./data/admin-token)
  HUB_PASSPHRASE  seals and opens the secrets of an export`;

export const EXIT_CODES = `
Results are on standard output, everything else on standard error. Exit codes:
  0   done; of plan also when there is something to do
  1   the hub refused, and said why
  2   plan --exit-code: there is something to do
  64  wrong usage, or a file that cannot be read or written
  69  the hub cannot be reached, or cannot answer now
  77  the token is missing, refused, or lacks a scope`;

export const REFERENCES = `
Secrets in the document are references: {from_env: NAME}, in LiteLLM's files os.environ/NAME. Their values are taken
from the environment of this command and sent along; the environment of the hub is never looked at. One that is not set
keeps what is stored for the same address. Sealed secrets are opened with HUB_PASSPHRASE.`;

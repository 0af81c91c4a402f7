#!/bin/sh
# Runs a TypeScript program of this project (named relative to its root) with the pinned Node, after making sure that the npm
# packages are there. Every npm script goes through here, so that a fresh clone needs no step before `npm test` or `npm run lab`.
set -eu
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
if [ "$(uname -s)" != Linux ]; then
  echo "This project needs Linux (it works on network namespaces); this is $(uname -s)." >&2
  exit 1
fi
stamp=$root/node_modules/.installed-lock
if ! cmp -s "$root/package-lock.json" "$stamp" 2>/dev/null; then
  # `npm ci` itself writes no stamp; a tree that it has just made is recognised by npm's own record of it.
  if [ ! -x "$root/node_modules/.bin/node" ] || [ "$root/package-lock.json" -nt "$root/node_modules/.package-lock.json" ]; then
    if ! command -v npm >/dev/null; then
      echo "npm is missing: install Node.js 20 or later with npm, then run this again." >&2
      exit 1
    fi
    echo "==> installing the npm packages (npm ci)" >&2
    npm ci --prefix "$root" --no-audit --no-fund --loglevel=error >&2
  fi
  cp "$root/package-lock.json" "$stamp"
fi
PATH="$root/node_modules/.bin:$PATH"
export PATH
program=$root/$1
shift
exec node "$program" "$@"

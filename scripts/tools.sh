#!/usr/bin/env bash
# Installs the servers and programs that the tests start themselves; where it may not, says what is missing.
set -euo pipefail

# program, and the Debian package that has it
needed=(
  "postgres postgresql"
  "initdb postgresql"
  "pg_basebackup postgresql"
  "pgbouncer pgbouncer"
  "strace strace"
  "setpriv util-linux"
  "node nodejs"
  "npm npm"
)

has() {
  command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null
}

packages=()
for line in "${needed[@]}"; do
  read -r program package <<<"$line"
  has "$program" || packages+=("$package")
done
[ ${#packages[@]} -eq 0 ] && exit 0
mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # The tests start servers of their own; a service of the distribution's is not needed.
  apt-get install -y -qq --no-install-recommends "${packages[@]}"
else
  echo "The tests need these packages (as Debian names them): ${packages[*]}" >&2
  echo "Install them, for example with: sudo apt-get install ${packages[*]}" >&2
  exit 1
fi

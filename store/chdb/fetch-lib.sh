#!/bin/sh
# Fetches the pinned ClickHouse engine library (libchdb) into a cache folder and
# verifies it. Usage: fetch-lib.sh [FOLDER]. The package comes through npm, so
# the machine's own registry configuration decides where it is downloaded from.
#
# The library is put in place by a rename after its checksum was verified, so a
# file of the right size under the final name has been verified before. Delete
# the folder to fetch it anew.
set -eu

version=26.7.3-stable.1
package=@chdb/lib-linux-x64-gnu
sha256=36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5
size=566330096

say() { echo "clickhouse-lib: $*" >&2; }
die() { say "error: $*"; exit 1; }

folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/interdict/chdb/$version}
target=$folder/libchdb.so

if [ -f "$target" ] && [ "$(wc -c <"$target" | tr -d ' ')" = "$size" ]; then
	say "$target is already there"
	exit 0
fi

case "$(uname -s)-$(uname -m)" in
Linux-x86_64 | Linux-amd64) ;;
*) die "the pinned library is built for Linux on x86-64 only; use a ClickHouse server and its DSN on this platform" ;;
esac
for tool in npm tar sha256sum; do
	command -v "$tool" >/dev/null 2>&1 || die "$tool is needed to fetch $package@$version and was not found"
done

mkdir -p "$folder" || die "cannot create $folder"
work=$(mktemp -d "$folder/.fetch.XXXXXX") || die "cannot write to $folder"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

say "fetching $package@$version (178 MB packed) with npm"
(cd "$work" && npm pack --silent "$package@$version" >npm.out 2>npm.err) ||
	die "npm pack failed: $(tr '\n' ' ' <"$work/npm.err" | cut -c1-300)"
set -- "$work"/*.tgz
[ -f "$1" ] || die "npm pack left no archive"

say "unpacking (566 MB)"
tar -xzf "$1" -C "$work" package/libchdb.so || die "the archive does not hold package/libchdb.so"
rm -f "$1"

say "verifying sha256"
got=$(sha256sum "$work/package/libchdb.so" | cut -d' ' -f1)
[ "$got" = "$sha256" ] || die "sha256 mismatch: want $sha256, got $got; nothing was installed"
chmod 0644 "$work/package/libchdb.so"
mv -f "$work/package/libchdb.so" "$target" || die "cannot rename into $target"
say "ready: $target"

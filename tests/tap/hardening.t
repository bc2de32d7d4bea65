#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The programs as built: what compiler and linker were asked to do against mistakes is in them, and
# no descriptor is forgotten.
# shellcheck source=tests/tap/lib.sh
. "${SRCDIR:-$(dirname "$0")/../..}/tests/tap/lib.sh"
need readelf

# asked VARIABLE REGEX: is it among the flags that configure found?
asked() {
    sed -n "s/^$1 = //p" "$BUILDDIR/Makefile" | grep -qE -e "$2"
}

harness=$(readelf -W -h -l -d "$BOXMARK")
symbols=$(readelf -W --dyn-syms "$BOXMARK")
if asked PIE_LDFLAGS -pie; then
    like "$harness" 'Type: +DYN' "the harness is loaded at a random address"
else
    skip "no -pie here"
fi
if asked HARDEN_LDFLAGS 'z,now'; then
    like "$harness" 'GNU_RELRO' "its tables are read-only"
    like "$harness" '\(FLAGS(_1)?\).*NOW' "and filled in before it begins"
else
    skip "no -z relro,now here" 2
fi
if asked HARDEN_CFLAGS stack-protector; then
    like "$symbols" '__stack_chk_fail' "its stack is guarded"
else
    skip "no -fstack-protector-strong here"
fi
if asked HARDEN_CFLAGS '-D_FORTIFY_SOURCE'; then
    like "$symbols" '__(sn|fp|vsn)printf_chk' "its calls of the C library are checked"
else
    skip "not optimised, or with sanitizers"
fi
unlike "$harness" 'TEXTREL|RPATH|RUNPATH' "its code is never written, its libraries are the system's"
for program in "$BOXMARK" "$AGENT" "$BUILDDIR/boxmark-microguest"; do
    [ -x "$program" ] || continue
    segments=$(readelf -W -l "$program")
    name=${program##*/}
    like "$segments" 'GNU_STACK.* RW +0x' "$name: nothing on its stack is executed"
    unlike "$segments" 'LOAD.* RWE ' "$name: nothing is both written and executed"
done
unlike "$(readelf -W -l "$AGENT")" INTERP "the agent needs nothing of the host"

# Every descriptor and every block of memory of a whole run accounted for.
if ! command -v valgrind >/dev/null 2>&1; then
    skip "valgrind is not installed" 4
elif asked SANITIZE_CFLAGS sanitize; then
    skip "the sanitizers look after memory" 4
else
    for specs in 'mock:label=a mock:fail=die' 'host'; do
        arguments=()
        for spec in $specs; do
            arguments+=(-e "$spec")
        done
        valgrind -q --track-fds=yes --leak-check=full --errors-for-leak-kinds=definite \
            --error-exitcode=99 --log-file="$SCRATCH/valgrind.%p" "$BOXMARK" run -q --no-plots \
            -p smoke -w prime -o "$SCRATCH/${specs%%:*}" "${arguments[@]}" >/dev/null \
            2>"$SCRATCH/said" </dev/null &
        wait $!
        isnt "$?" 99 "$specs: valgrind has nothing to say"
        # Those that were open before are not ours; the signal handler's pipe lives as long as it.
        left=$(awk '/Open .*file descriptor/ { open = $0; next }
            /inherited|interrupt_install/ { open = "" }
            /^==[0-9]+== *$/ { if (open) print open; open = "" }' "$SCRATCH/valgrind.$!")
        is "$left" "" "$specs: no descriptor is open at the end"
    done
fi

done_testing

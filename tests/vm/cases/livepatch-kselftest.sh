# The kernel's own tests of livepatches have the same results before nestrace is loaded, and while it traces all
# functions, without and with their returns.
# kernels: 6.12
# slow: yes
# source: tools/testing/selftests/livepatch
# programs: bash date sysctl modinfo insmod rmmod dmesg diff grep sed awk tail cat stat
# params: none
#
# test-syscall needs a program that is compiled for it. test-ftrace switches ftrace off, which a session forbids, so it
# is skipped meanwhile.
selected="test-livepatch test-callbacks test-shadow-vars test-state test-ftrace test-sysfs"

# selftests WHEN: write the result of each test to WHEN.results
selftests()
{
	local test
	for test in $selected; do
		(cd /tests/livepatch && KDIR=/tests bash ./$test.sh) > "$1.$test" 2>&1
		echo "$test: status $?"
		# a line is: TEST: description ... ok
		grep '^TEST: ' "$1.$test"
	done > "$1.results"
	for test in $selected; do
		! grep -q '^not ok\|not ok$' "$1.$test" || tail -n 30 "$1.$test" >&2
	done
}

# others: print the results but for that test
others()
{
	grep -v '^test-ftrace: \|ftrace_enabled sysctl' "$1.results"
}

mkdir -p /sys/kernel/debug
mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
ln -sf /tests/test_klp_*.ko /tests/livepatch/test_modules/
ok "the modules of the tests are there" test -e /tests/test_klp_livepatch.ko
selftests before
show < before.results
ok "before nestrace is loaded: there are more than ten tests" test "$(grep -c '^TEST: ' before.results)" -gt 10
is "before nestrace is loaded: every test passes" "$(grep '^TEST: ' before.results | grep -v 'ok$')" ""

setup insmod /tests/nestrace.ko
for returns in '' --ret; do
	nestrace record -q --flight -b 4096 $returns -o t.dat sleep 10000 & recorder=$!
	until_running
	selftests "during$returns"
	kill -INT $recorder
	wait $recorder
	is "while nestrace traces all functions${returns:+ with }$returns: the tests have the same results" \
		"$(others "during$returns")" "$(others before)"
	nestrace report t.dat > r
	ok "all functions${returns:+ with }$returns: there are more than a million hits" test "$(counter r total hits)" -gt 1000000
done
ok "the module can be unloaded" rmmod nestrace

# A build of recursion.sh without the guard. The guest dies of the recursion, so recursion.sh
# is able to fail.
# kernels: 6.12 debug-7.2 backports
# build: noguard RECURSE NO_GUARD
# expect: death
setup insmod /tests/nt_calls.ko
echo 'recording without the guard' >&2
nestrace record -q -l nt_called -l nt_test_traced -o t.dat sh -c 'echo "task 10" > /proc/nt_calls'
ok "the guest survives the recursion" true

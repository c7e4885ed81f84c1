# The same with the guard disabled: without it the guest dies of the recursion. This
# shows that the recursion test can fail.
# kernels: 6.12 debug-7.2 backports
# build: noguard RECURSE NO_GUARD
# expect: death
insmod /tests/nt_calls.ko
echo 'recording without the guard' >&2
nestrace record -q -l nt_called -l nt_test_traced -o t.dat sh -c 'echo "task 10" > /proc/nt_calls'
ok "survived" true

# The example program of nestrace(4) runs and prints hits.
# kernels: 6.1 6.12
# slow: 6.1
sh -c 'until [ -e stop ]; do cat /proc/self/comm > /dev/null; done' &
reader=$!
nestrace-example vfs_open > out
is "nestrace-example vfs_open: it succeeds" $? 0
touch stop
wait $reader
tail -n 5 out | show
hits=$(grep -c '^[0-9]*: pid [0-9]*: vfs_open <- 0x' out)
ok "nestrace-example vfs_open: it prints hits of the function" test $hits -gt 10
is "nestrace-example vfs_open: it prints each recorded hit" $hits \
	"$(sed -n 's/^CPU .*, \([0-9]*\) recorded$/\1/p' out | awk '{ n += $1 } END { print n }')"
says "nestrace-example with a function that does not exist" 1 "no_such_function" nestrace-example no_such_function
ok "nestrace-example leaves no session" sessions "0 open, 0 running"

# The example program of nestrace(4) runs and prints hits.
# kernels: 6.1 6.12
sh -c 'until [ -e stop ]; do cat /proc/self/comm > /dev/null; done' &
reader=$!
timeout 60 nestrace-example vfs_read > out
is "nestrace-example vfs_read: it succeeds" $? 0
touch stop
wait $reader
head -n 5 out | show
ok "nestrace-example vfs_read: it prints hits of the function" grep -q vfs_read out
says "nestrace-example with a function that does not exist" 1 "no_such_function" nestrace-example no_such_function
ok "nestrace-example leaves no session" sessions "0 open, 0 running"

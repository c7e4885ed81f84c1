# record --boot takes over what parameter boot of the module has recorded since its load.
# kernels: 6.12 6.1
# slow: 6.1
# cpus: 2
# programs: trace-cmd
# params: none
setup insmod /tests/nt_calls.ko
calls='echo "task 100 softirq 20 nmi 10" > /proc/nt_calls'
known=260

setup insmod /tests/nestrace.ko boot=nt_called,vfs_open
ok "the log says that it records" sh -c "dmesg | grep -q \"nestrace: recording since the load: 'nt_called,vfs_open'\""
sh -c "$calls"
says "it has its configuration already" 2 "has its configuration already: '-l'" nestrace record --boot -l nt_called true
says "nor another clock" 2 "has its configuration already: '-C'" nestrace record --boot -C mono true
nestrace record --boot -o t.dat sh -c "$calls; exit 3" 2> err
is "--boot: the status is the command's" $? 3
show < err
nestrace report t.dat > r
is "--boot: calls before it and after it are there" "$(grep -c ': [a-z]* *nt_called <- ' r)" $((2 * known))
is "--boot: the counters are those of the hits" "$(counter r total recorded)" "$(grep -c ' <- ' r)"
ok "--boot: the tasks have names" sh -c "! grep ' <- ' r | grep -q '<\\.\\.\\.>'"
is "--boot: trace-cmd reads it" "$(trace-cmd report t.dat 2> /dev/null | grep -c nt_called)" $((2 * known))
says "--boot: it is taken over once" 125 "no boot recording to take over" nestrace record --boot true
nestrace record -q -l nt_called -o t.dat sh -c "$calls"
is "other sessions work" "$(nestrace report t.dat | grep -c ': [a-z]* *nt_called <- ')" $known
setup rmmod nestrace

# returns, and the newest hits
setup insmod /tests/nestrace.ko boot='*' boot_ret=1 boot_overwrite=1 boot_kb=16384
ls -R /sys/kernel > /dev/null
sh -c "$calls"
nestrace record -q --boot -o t.dat true
nestrace report --graph t.dat > r
is "all functions, with returns, the newest: the last calls are there" "$(grep -c ' nt_called()' r)" $known
ok "older ones were overwritten, which is counted" test "$(counter r total lost)" -gt 1000
setup rmmod nestrace

# the module may go before anybody has taken it over
setup insmod /tests/nestrace.ko boot='vfs_*'
ls / > /dev/null
setup rmmod nestrace
setup insmod /tests/nestrace.ko boot=no_such_function
ok "a glob that matches nothing: the log says so" sh -c "dmesg | tail -n 3 | grep -q \"no function matches yet: 'no_such_function'\""
setup rmmod nestrace
setup insmod /tests/nestrace.ko boot=vfs_open boot_kb=0
ok "no size: the log says so" sh -c "dmesg | tail -n 3 | grep -q 'boot_kb is out of range'"
says "it did not start" 125 "no boot recording to take over" nestrace record --boot true
nestrace record -q -l nt_called -o t.dat sh -c "$calls"
is "it did not start: other sessions work" "$(nestrace report t.dat | grep -c ': [a-z]* *nt_called <- ')" $known
setup rmmod nestrace
setup insmod /tests/nestrace.ko boot='nt_*:mod:nt_args' boot_kb=64
setup insmod /tests/nt_args.ko
echo "task 3" > /proc/nt_args
nestrace record -q --boot -o t.dat true
ok "a module that comes later is recorded" sh -c 'nestrace report t.dat | grep -q " nt_ints "'
setup rmmod nt_args nt_calls nestrace

# In a container that has only what docs/containers.md names: the device, CAP_PERFMON and CAP_SYSLOG, and a file
# system of its own. And the tasks of one cgroup.
# kernels: 6.12 6.1
# slow: 6.1
# cpus: 2
# programs: unshare setpriv
setup insmod /tests/nt_calls.ko
calls='echo "task 100 softirq 20 nmi 10" > /proc/nt_calls'

# a root with nothing but the command, busybox, the device and /proc
setup mkdir -p root/bin root/dev root/proc root/sys root/tmp
cp -r /bin/busybox /bin/nestrace /bin/setpriv /lib /lib64 /usr root/ 2> /dev/null
mv root/busybox root/nestrace root/setpriv root/bin/
for applet in sh cat grep ls id mount echo; do ln -s busybox root/bin/$applet; done
cp -a /dev/nestrace /dev/null root/dev/

# inside COMMAND: run it in namespaces of its own, with only these capabilities
inside()
{
	/bin/unshare -m -p -f -n -i -u -C sh -c "mount -t proc proc root/proc && mount -t sysfs -o ro sysfs root/sys && exec chroot root /bin/setpriv --bounding-set=-all,+perfmon,+syslog --inh-caps=-all,+perfmon,+syslog --no-new-privs sh -c '$1'"
}
inside 'grep Cap /proc/self/status' >&2
is "it has only these capabilities" "$(inside 'grep CapEff /proc/self/status')" "CapEff:	0000004400000000"
inside "nestrace record -q -l nt_called -o /tmp/t.dat sh -c \"echo task 100 > /proc/nt_calls\"" > out 2>&1
is "record works" $? 0
show < out
nestrace report root/tmp/t.dat > r
is "its calls are there" "$(grep -c ': [a-z]* *nt_called <- ' r)" 200
ok "functions have names, as it has CAP_SYSLOG" grep -q ' nt_called <- ' r
inside 'nestrace stat -l nt_called sh -c "echo task 50 > /proc/nt_calls"' > out 2>&1
show < out
ok "stat works" grep -qE '^ *100 +task +nt_called' out
inside 'nestrace status' > out 2>&1
is "status works" $? 0
show < out
says "without CAP_PERFMON" 125 "no permission to trace" \
	/bin/unshare -m -p -f sh -c 'mount -t proc proc root/proc && exec chroot root /bin/setpriv --bounding-set=-all,+syslog --inh-caps=-all nestrace record -q true'
mv root/dev/nestrace root/dev/other
says "without the device" 125 "start the container with --device" \
	/bin/unshare -m -p -f sh -c 'mount -t proc proc root/proc && exec chroot root nestrace record -q true'
mv root/dev/other root/dev/nestrace

# cgroups; each read of the file is a call by the task itself
calls='for i in 1 2 3 4 5 6 7 8 9 10; do read -r x < /proc/loadavg; done'
of_tasks()
{
	grep -c ': task *loadavg_proc_show <- ' r
}
setup mkdir -p /sys/fs/cgroup
setup mount -t cgroup2 none /sys/fs/cgroup
setup mkdir -p /sys/fs/cgroup/a/in /sys/fs/cgroup/b
cat > in-cgroup << 'SH'
# in-cgroup CGROUP COMMAND
echo $$ > /sys/fs/cgroup/$1/cgroup.procs
exec sh -c "$2"
SH
record="nestrace record -q -l loadavg_proc_show -o t.dat"
$record --cgroup a sh -c "sh in-cgroup a '$calls'; sh in-cgroup b '$calls'; $calls; sh in-cgroup a/in 'sh -c \"$calls\"'"
nestrace report t.dat > r
is "--cgroup: the calls of its tasks, and of those in it" "$(of_tasks)" 20
is "--cgroup: all others were filtered" "$(counter r task filtered)" 20
$record --cgroup /sys/fs/cgroup/b sh -c "sh in-cgroup b '$calls'; $calls"
nestrace report t.dat > r
is "--cgroup: the path may be whole" "$(of_tasks)" 10

# a task that was there before, one that comes, and one that goes
sh -c "until [ -e go1 ]; do usleep 10000; done; $calls; until [ -e go2 ]; do usleep 10000; done; $calls; until [ -e go3 ]; do usleep 10000; done; $calls" &
task=$!
echo $task > /sys/fs/cgroup/a/cgroup.procs
$record --cgroup a sh -c "touch go1; sleep 2; echo $task > /sys/fs/cgroup/b/cgroup.procs; touch go2; sleep 2; echo $task > /sys/fs/cgroup/a/in/cgroup.procs; touch go3; sleep 2"
nestrace report t.dat > r
is "--cgroup: a task that moves counts while it is there" "$(of_tasks)" 20
is "--cgroup: and is filtered while it is not" "$(counter r task filtered)" 10

# many that fork, move and exit meanwhile
$record --cgroup a sh -c "i=0; while [ \$i -lt 30 ]; do for c in a b; do sh in-cgroup \$c '$calls' & done; wait; i=\$((i + 1)); done"
nestrace report t.dat > r
is "--cgroup: many that come at once" "$(of_tasks) $(counter r task filtered)" "300 300"
says "no such cgroup" 125 "cannot open the cgroup: '--cgroup none'" nestrace record -q --cgroup none true
says "no cgroup" 125 "not a cgroup of version 2: '--cgroup /tmp'" nestrace record -q --cgroup /tmp true
says "with -P" 2 "--cgroup selects the tasks" nestrace record -q --cgroup a -P 1 true
says "two of them" 2 "only one cgroup" nestrace record -q --cgroup a --cgroup b true
nestrace stat --cgroup b -l loadavg_proc_show sh -c "sh in-cgroup b '$calls'; $calls" > out 2>&1
show < out
ok "stat has it, too" grep -qE '^ *10 +task +loadavg_proc_show' out
setup rmmod nt_calls

# However a recording ends, what was recorded is in the file, or nestrace restore makes it.
# kernels: 6.1 6.12
# slow: 6.1
setup insmod /tests/nt_calls.ko
calls()
{
	echo "task ${1-100}" > /proc/nt_calls
}

# record_until COMMAND...: record in the background, make 100 calls, and run COMMAND
record_until()
{
	nestrace record -q -l nt_called -o t.dat 2> err & recorder=$!
	until_running
	calls
	"$@"
	wait $recorder
	status=$?
}
hits()
{
	nestrace report "${1-t.dat}" | grep -c 'nt_called <-'
}

# signals.sh has all of them.
signals_end 1 3 6 14 24 33 64
signals_pass "SIGPIPE and SIGXFSZ" 13 25

nestrace record -q -l nt_called -o t.dat sh -c 'trap "" INT; echo "task 5" > /proc/nt_calls; kill -ALRM $$; sleep 100'
is "a signal of COMMAND's is not one of ours" "$? $(hits)" "142 10"
nestrace record -q -l nt_called -o t.dat grep -E 'Sig(Blk|Ign)' /proc/self/status > inherited
grep -E 'Sig(Blk|Ign)' /proc/self/status > own
ok "COMMAND gets the signals as nestrace got them" cmp inherited own

# SIGKILL.
rm -f t.dat
record_until eval 'sleep 3; kill -9 $recorder'
ok "kill -9: there is no file yet" test ! -e t.dat
ok "kill -9: a directory is left" test -d t.dat.nestrace
# nothing that another user can have put there is trusted
setup chown 65534 t.dat.nestrace
says "restore: a directory of another user is refused" 1 "another user can write there" nestrace restore t.dat
setup chown 0 t.dat.nestrace
setup chmod 777 t.dat.nestrace
says "restore: a directory that others can write is refused" 1 "another user can write there" nestrace restore t.dat
setup chmod 700 t.dat.nestrace
says "restore: within ulimit -f it says so" 1 "a file may have only" sh -c 'ulimit -f 1; exec nestrace restore t.dat'
echo victim > victim
setup ln -s /tmp/victim t.dat.nestrace/moving.new
ok "restore: it succeeds" nestrace restore t.dat.nestrace
is "restore: it writes through no link" "$(cat victim)" victim
is "restore: all hits are in the file" "$(hits)" 200
ok "restore: the tasks have names" sh -c '! nestrace report t.dat | grep -qF "<...>"'
nestrace report t.dat > r
is "restore: the accounting is in the file" "$(counter r task recorded)" 200
ok "restore: nothing else is left" sh -c '! ls -A | grep -q nestrace'
trace-cmd report -i t.dat > r 2> err
is "restore: trace-cmd shows all hits" "$(grep -c 'function:.*nt_called' r)" 200

# More than one chunk of compressed data.
rm -f t.dat
record_until eval 'calls 30000; sleep 3; kill -9 $recorder'
ok "restore FILE: it succeeds" nestrace restore t.dat
lost=$(nestrace report t.dat | awk '$1 == "#" && $2 == "total" { print $5 }')
is "restore FILE: all hits are in the file, or lost" $(($(hits) + lost)) 60200

# An earlier file and an interrupted recording of the same name.
cp t.dat earlier.dat
record_until eval 'sleep 3; kill -9 $recorder'
ok "kill -9: the earlier file is kept" cmp t.dat earlier.dat
says "a recording into the same file says that one is kept" 0 "an interrupted recording is kept: '/tmp/t.dat.nestrace'" \
	nestrace record -q -l nt_called -o t.dat sh -c 'echo "task 7" > /proc/nt_calls'
is "a recording into the same file works" "$(hits)" 14
says "restore: a newer file is not overwritten" 1 "a newer file has that name" nestrace restore t.dat
is "restore: the newer file is kept" "$(hits)" 14
ok "restore -o: it succeeds" nestrace restore -o other.dat t.dat.nestrace
is "restore -o: all hits are in the file" "$(hits other.dat)" 200
says "restore: without an interrupted recording it says so" 1 "no interrupted recording" nestrace restore t.dat

# Recordings at the same time.
nestrace record -q -l nt_called -o one.dat & one=$!
until_running
says "two recordings into one file: the second is refused" 1 "another recording writes that file" nestrace record -l nt_called -o one.dat
says "restore: a running recording is left alone" 1 "still running" nestrace restore one.dat
nestrace record -q -l nt_called -o two.dat & two=$!
setup within_a_minute sessions "2 running"
calls
sleep 3
kill -9 $two
kill $one
wait $one
is "two recordings: the one that ends well has its hits" "$(hits one.dat)" 200
ok "two recordings: the one that is killed is restored" nestrace restore two.dat
is "two recordings: the one that is killed has its hits" "$(hits two.dat)" 200

# A flight recording is in memory only: nothing of it takes the place of an earlier file.
cp one.dat two.dat
nestrace record -q --flight -l nt_called -o two.dat & two=$!
until_running
calls
kill -9 $two
says "restore: a flight recording that is killed is lost" 1 "nothing was recorded" nestrace restore two.dat
is "restore: a flight recording that is killed leaves the earlier file" "$(hits two.dat)" 200
setup rm -r two.dat.nestrace

# Killed while it makes the file.
rm -f t.dat
for i in 1 2 3; do
	nestrace record -q -b 16384 -l nt_called -o t.dat & recorder=$!
	until_running
	calls 100000
	kill $recorder
	until [ -e t.dat.nestrace/moving ] || [ ! -e t.dat.nestrace ]; do :; done
	kill -9 $recorder
	wait $recorder
	[ ! -e t.dat.nestrace ] || { note "killed in its last step"; ok "killed in its last step: it is restored" nestrace restore t.dat; }
	lost=$(nestrace report t.dat | awk '$1 == "#" && $2 == "total" { print $5 }')
	is "killed in its last step: all hits are in the file, or lost" $(($(hits) + lost)) 200000
	rm -f t.dat
done

# The OOM killer.
setup mkdir -p /sys/fs/cgroup
if mount -t cgroup2 cgroup2 /sys/fs/cgroup && echo +memory > /sys/fs/cgroup/cgroup.subtree_control; then
	setup mkdir /sys/fs/cgroup/small
	record_until eval 'sleep 3
		echo $recorder > /sys/fs/cgroup/small/cgroup.procs
		(echo 100K > /sys/fs/cgroup/small/memory.max) &
		sleep 1; calls; sleep 2; kill -9 $recorder'
	ok "a recorder that gets no more memory is restored" nestrace restore t.dat
	ok "a recorder that gets no more memory: the hits before are in the file" test "$(hits)" -ge 200
fi

# The limit of a file's size.
rm -f t.dat
(ulimit -f 8192; exec nestrace record -b 16384 -o t.dat sh -c 'until [ -e t.dat ]; do cat /proc/self/maps > /dev/null; done' 2> err)
is "ulimit -f: the recording ends by itself" $? 125
ok "ulimit -f: the message says why" grep -q "a file may have only 4 MiB here; the recording ends, and what was written is kept" err
ok "ulimit -f: the file is whole" sh -c 'nestrace report t.dat > r 2> err && ! test -s err'
ok "ulimit -f: the file has thousands of hits" test "$(grep -c ' <- ' r)" -gt 10000
ok "ulimit -f: nothing else is left" sh -c '! ls -A | grep -q nestrace'
says "ulimit -f: a limit that is too low is said at the start" 125 "a file may have only" \
	sh -c 'ulimit -f 1024; exec nestrace record -l nt_called -o u.dat true'

# Ftrace shuts itself down, as it does after a bug, until the next boot.
setup insmod /tests/nt_oops.ko
ftrace_kill=$(sed -n 's/^\([0-9a-f]*\) . ftrace_kill$/\1/p' /proc/kallsyms)
nestrace record -q -l nt_called -o t.dat sh -c 'echo "task 100" > /proc/nt_calls; echo "call '$ftrace_kill'" > /proc/nt_oops' 2> err & recorder=$!
ok "ftrace has shut itself down: the recording ends" within_a_minute gone $recorder
wait $recorder
is "ftrace has shut itself down: the status is that of COMMAND" $? 0
ok "ftrace has shut itself down: the message says so" grep -q "ftrace has shut itself down" err
ok "ftrace has shut itself down: all hits are in the file" test "$(hits)" -ge 200

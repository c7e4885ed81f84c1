# record -N and -V send to an unchanged trace-cmd listen: what it writes is as complete as a local file. A listener that
# stands still or dies costs nothing but time: the rest is in a local file.
# kernels: 6.12 6.1
# slow: 6.1
# cpus: 2
# programs: trace-cmd
# modules: vsock vmw_vsock_virtio_transport_common vsock_loopback
setup insmod /tests/nt_calls.ko
setup sh -c 'echo guest > /proc/sys/kernel/hostname'
setup sh -c 'echo 127.0.0.1 localhost > /etc/hosts'
calls='for i in 1 2 3 4 5 6 7 8; do echo "task 100 softirq 20 nmi 10" > /proc/nt_calls; usleep 100000; done'
port=20000

# listen COMMAND...: start a listener in the directory far, on another port than before
listen()
{
	rm -rf far
	mkdir far
	port=$((port + 10))
	setsid "$@" -p $port -d "$PWD/far" > far.log 2>&1 &
	listener=$!
	is_there "$@"
}

# is_there COMMAND...: wait until a listener can be reached
is_there()
{
	case "$*" in
	*-V*) sleep 5 ;;
	*) within_a_minute grep -qs ":$(printf %04X $port) " /proc/net/tcp /proc/net/tcp6 ;;
	esac
}

# known FILE: its known calls
known()
{
	nestrace stat -i "$1" | awk '$3 == "nt_called" { n += $1 } END { print n + 0 }'
}

# hush: end the listener with all of its processes
hush()
{
	kill -9 -$listener
	wait $listener
}

# check NAME STATUS: the listener's file is whole
check()
{
	is "$1: the status" "$2" 3
	set -- "$1" far/*.dat
	is "$1: there is one file" "$# $(ls far | grep -c cpu)" "2 0"
	nestrace report "$2" > r
	is "$1: the known calls" "$(grep -c ': [a-z]* *nt_called <- ' r)" 2080
	is "$1: the counters are those of the hits" "$(counter r total recorded) $(counter r total lost)" "2080 0"
	is "$1: the tasks have names" "$(grep -c '<\.\.\.>' r)" 0
	is "$1: trace-cmd reads it" "$(trace-cmd report "$2" 2> /dev/null | grep -c 'nt_called')" 2080
	ok "$1: it has the counters as events, too" sh -c "trace-cmd report $2 2> /dev/null | grep -q 'accounting:'"
	ok "$1: it knows host and boot" sh -c "nestrace export --csv $2 | head -n 2 | grep -q ',\"guest\",$(cat /proc/sys/kernel/random/boot_id),'"
	nestrace record -q -l nt_called -o local.dat sh -c "$calls"
	nestrace report local.dat | grep -vE '^#.*(in-tracer|nmi|task|softirq|total|clock)' | grep '^#' > local
	grep -vE '^#.*(in-tracer|nmi|task|softirq|total|clock)' r | grep '^#' > far.r
	ok "$1: its foot is that of a local file" cmp local far.r
}

listen trace-cmd listen
nestrace record -N localhost:$port -l nt_called sh -c "$calls; exit 3" 2> err
status=$?
show < err
check "Debian 12" $status
is "nothing is left here" "$(ls -d trace.dat* 2> /dev/null)" ""
nestrace record -q -N 127.0.0.1:$port --flight --args -l vfs_read sh -c "read -r x < /proc/loadavg; exit 3"
is "a flight recording: the status" $? 3
ok "a flight recording with arguments is sent, too" sh -c 'for f in far/*; do nestrace report $f | grep -q " vfs_read(file=.* count=" && exit 0; done; nestrace report $f | grep vfs_read | tail -n 3; exit 1'
hush
show < far.log
# by vsock, as between a guest and its host
for module in vsock vmw_vsock_virtio_transport_common vsock_loopback; do
	setup insmod /tests/modules/$module.ko
done
listen trace-cmd listen -V
nestrace record -q -V 1:$port -l nt_called sh -c "$calls; exit 3"
check "vsock" $?
hush
show < far.log

# the process that speaks with us stands still, those that read the data do not
listen trace-cmd listen
nestrace record -q -N localhost:$port -l nt_called sh -c "$calls; kill -STOP \$(pgrep -P $listener); sleep 12; kill -CONT \$(pgrep -P $listener); exit 3"
is "a listener whose first process stands still: the status" $? 3
is "a listener whose first process stands still: its file is whole" "$(known far/*.dat)" 2080
hush

# all functions, and all of the listener stands still
listen trace-cmd listen
before=$(date +%s)
nestrace record -N localhost:$port -b 4M -o rest.dat sh -c "$calls; kill -STOP -$listener; ls -R /proc/sys /sys/kernel > /dev/null; $calls; sleep 8; $calls; exit 3" 2> err &
recorder=$!
within_a_minute grep -q 'has taken nothing' err
kill -CONT -$listener
wait $recorder
status=$?
took=$(($(date +%s) - before))
show < err
head -n 8 far.log | show
ok "a listener that stands still: it is no hang" test $took -lt 200
ok "a listener that stands still: it is reported" grep -q 'the listener has taken nothing for 5 s' err
here=$(known rest.dat)
ok "the rest is in the local file" test "$here" -ge 2080
ok "it says that it is a piece" sh -c "nestrace stat -i rest.dat | grep -q '^# piece: '"
# once one of its processes has stopped, it takes no more of the file's beginning
case $status in
3) is "the listener has a file of what it got" "$(known far/*.dat)" 2080 ;;
*) ok "the listener has no file: what is lost is counted" grep -qE 'the listener has no file: .*; the [0-9]+ hits that it got are lost' err ;;
esac
note "$here known calls here, of 6240; the ring was full meanwhile"
hush

# the local piece can be sent again
listen trace-cmd listen
ok "nestrace send" nestrace send -q -N localhost:$port rest.dat
nestrace stat -i rest.dat > want
nestrace stat -i far/*.dat > r
ok "what it sent is the same" cmp want r
rm -f want
hush

# a listener that dies
listen trace-cmd listen
nestrace record -N localhost:$port -l nt_called -o rest.dat sh -c "$calls; kill -9 -$listener; sleep 2; $calls" 2> err
status=$?
wait $listener
show < err
ok "a listener that dies: it is reported" grep -q "the listener is gone: 'localhost:$port'" err
ok "a listener that dies: the place of the rest is reported" grep -q "the rest is recorded here: 'rest.dat'" err
ok "what it got is lost, and that is said" grep -q 'has no file.*; the 2080 hits that it got are lost' err
is "the status" $status 125
nestrace report rest.dat > r
ok "the rest is in the local file" test "$(grep -c ': [a-z]* *nt_called <- ' r)" -ge 2080

# a disk of the listener that is full
setup mkdir far-small
setup mount -t tmpfs -o size=4M none far-small
port=$((port + 10))
setsid trace-cmd listen -p $port -d "$PWD/far-small" > far.log 2>&1 &
listener=$!
is_there trace-cmd listen
before=$(date +%s)
nestrace record -q -N localhost:$port sh -c 'ls -R /proc/sys > /dev/null' 2> err
status=$?
show < err
ok "a listener whose disk is full: it is no hang" test $(($(date +%s) - before)) -lt 200
ok "a listener whose disk is full: the command has ended" test $status = 0 -o $status = 125
hush

says "nobody listens" 125 "nobody listens there: '-N localhost:29999'; start trace-cmd listen" nestrace record -N localhost:29999 true
says "no listener" 125 "no trace-cmd listen of protocol 3 is there" sh -c 'echo nothing here | nc -l -p 29998 > /dev/null & sleep 1; nestrace record -N localhost:29998 true'
says "no such host" 125 "no such host" nestrace record -N no.such.host:1 true
says "no port" 125 "not HOST:PORT: '-N localhost'" nestrace record -N localhost true
says "no CID" 125 "not CID:PORT: '-V localhost:1'" nestrace record -V localhost:1 true
says "with -e" 2 "the kernel's events cannot be sent" nestrace record -N localhost:1 -e sched true
says "with --rotate" 2 "one file is sent" nestrace record -N localhost:1 --rotate 1 true
says "send: no listener" 2 "no listener is named" nestrace send rest.dat
says "send: another's file" 1 "nestrace did not record this file" sh -c 'trace-cmd record -q -e sched -o t.dat true > /dev/null; nestrace send -N localhost:1 t.dat'
setup rmmod nt_calls

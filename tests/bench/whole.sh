# Run one load untraced, and while all of its functions are recorded or counted, on one CPU. Print
# lines "whole STATE MILLISECONDS". With -icount a nanosecond is an instruction, so that one run of
# each is enough. This script loads the module, so boot with -p none.
# programs: tmux
mkdir tree
for i in 1 2 3 4 5 6 7 8 9 10; do
	mkdir tree/$i
	for j in 1 2 3 4 5 6 7 8 9 10; do
		echo $i $j > tree/$i/$j
	done
done

# the load: tar, gzip, ls -lR and forks, half of it in the kernel; it writes how long it takes
# to the file elapsed
cat > load <<'END'
now() { awk '{ print int($1 * 1000 + 0.5) }' /proc/uptime; }
began=$(now)
gzip -1 < /bin/busybox > /dev/null
gzip -1 < /bin/busybox > /dev/null
for i in 1 2 3 4; do
	tar cf - tree | gzip -1 > /dev/null
	ls -lR /sys/devices /proc/self > /dev/null 2>&1
	for j in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		cat /proc/self/comm /proc/self/maps > /dev/null
	done
done
ended=$(now)
echo $((ended - began)) > elapsed
END

# whole STATE COMMAND...: run the load under the command
whole()
{
	state=$1
	shift
	rm -f t.dat elapsed
	setup "$@" sh load > out
	echo "whole $state $(cat elapsed)"
}

sleep 10
whole warm-up env
whole untraced env
setup insmod /tests/nestrace.ko
whole flight nestrace record -q --flight -o t.dat
whole record nestrace record -q -o t.dat
nestrace report t.dat | sed -n 's/^# \(total.*\)/record: \1/p'
whole record-tsc nestrace record -q -C tsc -o t.dat
whole stat nestrace stat
setup tmux -u new-session -d -x 100 -y 40 'nestrace top'
running() { nestrace status | grep -q ' 1 running'; }
until running; do sleep 1; done
whole top env
tmux send-keys q
while running; do sleep 1; done
tmux kill-server
whole trace-cmd trace-cmd record -q -p function -o t.dat

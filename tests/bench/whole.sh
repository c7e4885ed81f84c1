# Run one load untraced, and while all of its functions are recorded or counted, on one CPU. With
# -icount a nanosecond is an instruction. Print lines "whole STATE MILLISECONDS", the median of three.
# This script loads the module, so boot with -p none.
mkdir -p tree
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	mkdir tree/$i
	for j in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		echo $i $j > tree/$i/$j
	done
done

# the load: tar, gzip, ls -lR and forks
cat > load <<'END'
tar cf - tree | gzip -1 > /dev/null
ls -lR /sys/kernel /sys/devices /proc/self > /dev/null 2>&1
i=0
while [ $i -lt 40 ]; do
	cat /proc/self/comm /proc/vmallocinfo /proc/self/maps > /dev/null
	i=$((i + 1))
done
END

now()
{
	awk '{ print int($1 * 1000 + 0.5) }' /proc/uptime
}

# whole STATE COMMAND...: measure the command from its start to its end, or to that of the load
# within it, which writes the file elapsed
whole()
{
	state=$1
	shift
	for i in 1 2 3; do
		rm -f t.dat elapsed
		"$@" sh -c 'began=$(awk "{ print int(\$1 * 1000 + 0.5) }" /proc/uptime); sh load
			ended=$(awk "{ print int(\$1 * 1000 + 0.5) }" /proc/uptime); echo $((ended - began)) > elapsed' > out 2> err ||
			cat err >&2
		cat elapsed
	done | sort -n | sed -n 2p | sed "s/^/whole $state /"
}

sleep 10
whole untraced env
setup insmod /tests/nestrace.ko
whole flight nestrace record -q --flight -o t.dat
whole record nestrace record -q -o t.dat
whole record-tsc nestrace record -q -C tsc -o t.dat
nestrace report t.dat | sed -n 's/^# \(total\|lost\)/# record: \1/p'
whole stat nestrace stat
whole trace-cmd trace-cmd record -q -p function -o t.dat

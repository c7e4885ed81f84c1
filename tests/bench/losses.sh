# Run the same load under trace-cmd's function tracer and under nestrace, with rings of the same
# size. Print how many hits each records and loses, and the bytes on disk per recorded hit. The losses
# with the smallest rings depend on how QEMU runs the two CPUs, so nestrace records three times.
rounds=4

# work ROUNDS: make the load
work()
{
	i=0
	while [ $i -lt "$1" ]; do
		find /proc/self /sys/kernel/mm > /dev/null 2>&1
		dd if=/dev/zero bs=4k count=500 2>/dev/null | md5sum > /dev/null
		(:) | (:)
		i=$((i + 1))
	done
}
both="$(text_of work); work $rounds & work $rounds; wait"

# line NAME KB RECORDED LOST FILE: print a result
line()
{
	awk -v name="$1" -v kb="$2" -v recorded="$3" -v lost="$4" -v bytes="$(stat -c %s "$5")" 'BEGIN {
		printf "losses %-9s -b %-6d recorded %9d, lost %9d (%5.1f %%), %5.1f bytes on disk per hit\n",
			name, kb, recorded, lost, 100 * lost / (recorded + lost), bytes / recorded }'
}

# sum NAME: print the sum of a number over all CPUs in trace-cmd's statistics
sum()
{
	awk -v what="$1" -F ': ' '$1 == what { n += $2 } END { print n + 0 }' stat
}

last=
for kb in 512 512 512 1024 2048 8192; do
	if [ $kb != "$last" ]; then
		setup trace-cmd record -q -p function -b $kb -o t.dat sh -c "$both" > /dev/null
		trace-cmd report --stat t.dat 2> /dev/null > stat
		theirs=$(sum overrun)
		line trace-cmd $kb "$(sum 'read events')" "$theirs" t.dat
		rm -f t.dat
	fi
	last=$kb
	setup nestrace record -q -b $kb -o t.dat sh -c "$both"
	nestrace report t.dat | grep '^#' > r
	ours=$(counter r total lost)
	line nestrace $kb "$(counter r total recorded)" "$ours" t.dat
	rm -f t.dat
	echo "losses with -b $kb: nestrace $ours, trace-cmd $theirs"
done

# Everything a user can get wrong has a sentence of its own.
# slow: 6.1
# kernels: 6.1 6.12 debug-7.2 backports
cd /tmp
nestrace record -q -l vfs_read -o good.dat true
cp good.dat keep.dat

says "no command" 2 "usage: nestrace" nestrace
says "unknown command" 2 "no command 'foo'" nestrace foo
says "unknown option" 2 "nestrace record --help" nestrace record -Z
says "glob that matches nothing" 1 "'nonsense_*': no function" nestrace record -o good.dat -l 'nonsense_*' true
says "the same for -n" 1 "-n 'nonsense_*': no function" nestrace record -n 'nonsense_*' true
says "unknown module" 1 "no such module" nestrace record -l ':mod:nonsense' true
says "malformed glob" 1 "must be a function name" nestrace record -l '!vfs_read' true
says "no such pid" 1 "pid 999999: there is no such process" nestrace record -P 999999 true
says "pid that is no number" 1 "pid 'x'" nestrace record -P x true
says "ring size 0" 1 "ring size (KiB per CPU) '0'" nestrace record -b 0 true
says "ring size absurd" 1 "'99999999999'" nestrace record -b 99999999999 true
says "ring size larger than memory" 1 "not enough free memory" nestrace record -b 4194304 true
says "ring size that is no number" 1 "must be a number" nestrace record -b 1k true
says "unknown clock" 1 "clock 'sundial': it must be global, tsc or mono" nestrace record -C sundial true
says "empty CPU mask" 1 "names no CPU" nestrace record -M 0 true
says "CPU that is not there" 1 "names no CPU of this machine" nestrace record -M 80 true
says "CPU mask that is no number" 1 "hexadecimal" nestrace record -M xyz true
says "-F without a command" 2 "-F traces COMMAND" nestrace record -F
says "command that is not there" 127 "can't run no-such-command" nestrace record -q -l vfs_read -o t.dat no-such-command
ok "after all that, an earlier file is what it was" cmp good.dat keep.dat

says "list without a match" 1 "matches 'nonsense'" nestrace list nonsense
says "stat -i with a command" 2 "only -o goes with it" nestrace stat -i good.dat true
says "stat -i with an option of a session" 2 "only -o goes with it" nestrace stat -l vfs_read -i good.dat
says "stat: glob that matches nothing" 1 "no function" nestrace stat -l nonsense true

if ftrace_has_switch; then
	echo 0 > /proc/sys/kernel/ftrace_enabled
	says "ftrace switched off" 1 "sysctl kernel.ftrace_enabled=1" nestrace record true
	echo 1 > /proc/sys/kernel/ftrace_enabled
fi

# output
says "disk full at the start" 1 "No space left" nestrace record -l vfs_read -o /dev/full true
mkdir small
mount -t tmpfs -o size=6m tmpfs small
says "disk full while recording" 1 "recording ends, what was written is kept" \
	nestrace record -b 4096 -o small/t.dat sh -c 'for i in $(seq 500); do cat /proc/self/maps > /dev/null; done'
ok "what was written can be read" sh -c 'nestrace report small/t.dat | grep -q " <- "'
umount small
mount -t tmpfs -o size=1m tmpfs small
says "disk full before the recording" 1 "No space left" nestrace record -l vfs_read -o small/t.dat true
is "leaves nothing behind" "$(ls -A small)" ""
umount small
says "no such directory" 1 "can't write /nowhere/t.dat" nestrace record -o /nowhere/t.dat true
says "output to a pipe" 1 "can't be written to a pipe" sh -c 'mkfifo p; cat p > /dev/null & exec nestrace record -o p true'
says "report to a full disk" 1 "writing to standard output failed" sh -c 'nestrace report good.dat > /dev/full'
says "stat -i to a full disk" 1 "can't write all of /dev/full" nestrace stat -i good.dat -o /dev/full
says "stat -i into what it reads" 1 "would overwrite what -i reads" nestrace stat -i good.dat -o ./good.dat
ok "report to a closed pipe is quiet" sh -c 'nestrace report good.dat 2>err | head -n 1 >/dev/null; test ! -s err'

# input
says "no such file" 1 "can't read none.dat: No such file" nestrace report none.dat
says "a directory" 1 "not a regular file" nestrace report /tmp
: > empty.dat
says "empty file" 1 "too short to be a trace file" nestrace report empty.dat
head -c 100000 /dev/urandom > garbage.dat
says "garbage" 1 "is no trace file" nestrace report garbage.dat
printf '\027\010\104tracing8\0xxxxxxxxxxxxxxxxxxxxxx' > eight.dat
says "another version" 1 "version '8'" nestrace report eight.dat
printf '\027\010\104tracing7\0\0\010\0\020\0\0rot13\00013\0xxxxxxxx' > rot13.dat
says "another compression" 1 "compressed by 'rot13'" nestrace report rot13.dat
size=$(stat -c %s good.dat)
for cut in 30 300 5000 $((size / 2)); do
	head -c $cut good.dat > cut.dat
	says "cut at $cut" 1 "damaged or cut short" nestrace report cut.dat
done
says "stat -i: no such file" 1 "can't read none.dat: No such file" nestrace stat -i none.dat
insmod /tests/nt_calls.ko
nestrace record -q -M 1 -l nt_called -b 4096 -o full.dat sh -c 'echo task 20000 > /proc/nt_calls'
rmmod nt_calls
size=$(stat -c %s full.dat)
head -c $((size - 2000)) full.dat > cut.dat
says "cut in the data" 1 "is cut short" nestrace report cut.dat
says "stat -i: cut in the data" 1 "is cut short" nestrace stat -i cut.dat
silent=0
for i in $(seq 20); do
	at=$((size - 700 * i))
	cp full.dat damaged.dat
	# at the next place, if this is what is there
	while cmp -s full.dat damaged.dat; do
		printf '\0\377' | dd of=damaged.dat bs=1 seek=$at conv=notrunc 2>/dev/null
		at=$((at + 1))
	done
	timeout 20 nestrace report damaged.dat > out 2> err
	[ $? = 1 ] && grep -q "is damaged" err || silent=$((silent + 1))
done
is "no damage to compressed data is passed over in silence" $silent 0

# as trace-cmd makes it for older readers, not compressed
trace-cmd convert --file-version 6 -i full.dat -o six.dat > /dev/null 2>&1
nestrace report full.dat > seven.txt
nestrace report six.dat > six.txt
ok "version 6 holds the same" cmp seven.txt six.txt
mv six.dat full.dat
size=$(stat -c %s full.dat)
# damage in the header and the first event of full sub-buffers is always said; wherever it
# is, there is no crash and no end of patience
worst=0 silent=0 differ=0 where=12345
for i in $(seq 60); do
	where=$(((where * 1103515245 + 12345) % 2147483648))
	cp full.dat damaged.dat
	page=$((size - size % 4096 - 4096 * (i / 5 + 2)))
	case $((i % 5)) in
	0) word='\377\377\377\377' at=$((page + 8)) ;;
	1) word='\035\0\0\0\374\377\377\377' at=$((page + 16)) ;;
	2) word='\0\0\0\0\377\377\377\177' at=$((page + 16)) ;;
	3) word='\0\0\0\0\0\0\0\0' at=$((size - 4 * (where % (size / 8)))) ;;
	4) word='\376\212\001\222' at=$((size - 4 * (where % (size / 8)))) ;;
	esac
	printf "$word" | dd of=damaged.dat bs=1 seek=$at conv=notrunc 2>/dev/null
	timeout 20 nestrace report damaged.dat > out 2> err
	status=$?
	[ $status -le $worst ] || worst=$status
	[ $((i % 5)) -ge 3 ] || [ $status = 1 ] || silent=$((silent + 1))
	[ $status != 1 ] || [ -s err ] || worst=99
	[ $i -le 25 ] || continue
	timeout 20 nestrace stat -i damaged.dat > out 2> err
	[ $? = $status ] || differ=$((differ + 1))
done
ok "damaged events neither crash it nor hold it up" test $worst -le 1
is "no damage to a sub-buffer's head is passed over in silence" $silent 0
is "stat -i takes for damaged what report does" $differ 0
says "two files" 2 "one file at a time" nestrace report good.dat keep.dat

# who, and with which module
chmod 755 /tmp
says "not root" 1 "needs root" su nobody -c 'nestrace record true'
chmod 666 /dev/nestrace
says "without the capability" 1 "CAP_PERFMON" su nobody -c 'nestrace record true'
chmod 600 /dev/nestrace
says "list as non-root" 1 "needs root" su nobody -c 'nestrace list'
says "a module too old for the command" 1 "too old for this command" nestrace-abi2 status
says "a module too new for the command" 1 "too new for this command" nestrace-abi0 status

# the recorder is killed in the middle
before=$(awk '/VmallocUsed|^Percpu/ { n += $2 } END { print n }' /proc/meminfo)
nestrace record -q -b 65536 -o killed.dat sleep 1000 &
recorder=$!
until_running
inside=$(awk '/VmallocUsed|^Percpu/ { n += $2 } END { print n }' /proc/meminfo)
ok "while it records, the rings take memory" test $inside -gt $((before + 100000))
kill -KILL $recorder
wait $recorder 2>/dev/null
# ftrace takes its time to disarm all functions
ok "killed: the session is gone" within_a_minute sessions "0 open, 0 running"
ok "nothing is traced any more" sh -c 'test "$(wc -l < /sys/kernel/tracing/enabled_functions)" = 0'
after=$(awk '/VmallocUsed|^Percpu/ { n += $2 } END { print n }' /proc/meminfo)
ok "the rings are freed" test $after -lt $((before + 10000))
ok "the module can be unloaded" rmmod nestrace
says "no module" 1 "the module is not loaded" nestrace record true
says "no module: status" 1 "the module is not loaded" nestrace status

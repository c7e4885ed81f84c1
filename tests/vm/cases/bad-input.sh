# Each mistake of a user gets a message of its own and the right exit status: 2 for wrong
# use, 125 if nestrace fails although a COMMAND was given, 1 otherwise.
# slow: 6.1
# kernels: 6.1 6.12 debug-7.2 backports
cd /tmp
setup nestrace record -q -l vfs_read -o good.dat true
cp good.dat keep.dat

says "no subcommand" 2 "usage: nestrace" nestrace
says "unknown subcommand" 2 "no such command: 'foo'" nestrace foo
says "unknown option" 2 "nestrace record --help" nestrace record -Z
says "-l: a glob that matches nothing" 125 "no function matches -l: 'nonsense_*'" nestrace record -o good.dat -l 'nonsense_*' true
says "-n: a glob that matches nothing" 125 "no function matches -n: 'nonsense_*'" nestrace record -n 'nonsense_*' true
says "-n: a module that is not loaded" 125 "no such module is loaded for -n: ':mod:nonsense'" nestrace record -n ':mod:nonsense' true
says "-l: a module that is not loaded" 0 "no such module is loaded: 'nonsense'; its functions will be traced once it is" nestrace record -q -l ':mod:nonsense' -o t.dat true
says "-l: a module that is a part of the kernel" 125 "the module is a part of the kernel for -l: ':mod:printk'" nestrace record -l ':mod:printk' true
says "-l: a malformed glob" 125 "not a function name or glob for -l: '!vfs_read'" nestrace record -l '!vfs_read' true
says "-P: a process that does not exist" 125 "no such process: '999999'" nestrace record -P 999999 true
says "-P: a pid that is no number" 2 "not a list of numbers from 1 to 4194304: '-P x'" nestrace record -P x true
says "-P: a list with a pid that is no number" 2 "'-P 1,x'" nestrace record -P 1,x true
says "-P: a list with a process that does not exist" 125 "no such process: '999999'" nestrace record -P 1,999999 true
says "--tid: a thread that does not exist" 125 "no such thread: '999999'" nestrace record --tid 999999 true
says "-b: a ring of size 0" 2 "'-b 0'" nestrace record -b 0 true
says "-b: an absurd size" 2 "'-b 99999999999'" nestrace record -b 99999999999 true
says "-b: a size larger than the memory" 125 "not enough free memory" nestrace record -b 4194304 true
says "-b: a size that is no number" 2 "'-b 1x'" nestrace record -b 1x true
says "-b: an absurd size with a unit" 2 "'-b 9999999G'" nestrace record -b 9999999G true
says "-C: an unknown clock" 2 "no such clock: 'sundial'; choose one of: global tsc mono" nestrace record -C sundial true
says "-M: an empty CPU mask" 2 "the mask selects no CPU: '-M 0'" nestrace record -M 0 true
says "-M: a CPU that does not exist" 125 "selects no CPU of this machine" nestrace record -M 80 true
says "-M: a CPU mask that is no number" 2 "not a CPU mask: '-M xyz'" nestrace record -M xyz true
says "-F without a COMMAND" 2 "-F traces COMMAND" nestrace record -F
says "-l without a COMMAND: a glob that matches nothing" 1 "'nonsense_*'" nestrace record -l 'nonsense_*'
says "-c without -F, -P or --tid" 2 "-c follows the children" nestrace record -c true
says "-p: another tracer" 2 "no such tracer: '-p wakeup'" nestrace record -p wakeup true
says "--ret: another kind" 2 "no such kind of returns: '--ret=entry'" nestrace record --ret=entry true
for n in 0 129 -1 8x ''; do
	says "--stack=$n: not a number of callers" 2 "not a number of callers: '--stack=$n'; use 1 to 128" nestrace record --stack=$n true
done
says "--stack with --ret=exit" 2 "--ret=exit records returns only; use --ret" nestrace record --stack --ret=exit true
says "--stack-of: a glob that matches nothing" 125 "'nonsense_*'" nestrace record --stack-of 'nonsense_*' true
says "--stack-of: a function that cannot be traced" 125 "no function of --stack-of can be traced: 'do_syscall_64'; nestrace list shows what can be traced" nestrace record --stack-of do_syscall_64 true
setup nestrace record -q -p function_graph -l vfs_open -o graph.dat cat /proc/loadavg
ok "-p function_graph: returns are recorded" sh -c 'nestrace report graph.dat | grep -q "vfs_open -> 0 "'
says "-e: an event that does not exist" 125 "no event matches -e: 'nonsense:*'" nestrace record -e 'nonsense:*' true
says "-e: a filter that is none" 125 "not a filter of sched:sched_switch: 'nonsense == 1'" nestrace record -e sched:sched_switch -f 'nonsense == 1' true
says "-f without -e" 2 "no -e before this filter: '-f x'" nestrace record -f x true
says "-g: it names -l and report --graph" 2 "nestrace report --graph" nestrace record -g vfs_read true
says "-N: it says what is missing" 125 "not HOST:PORT: '-N collector'" nestrace record -N collector true
says "-m: it names --rotate and --flight" 2 "--rotate SIZE --keep N limits that of all, and --flight" nestrace record -m 100 true
says "a COMMAND that does not exist" 127 "cannot run 'no-such-command'" nestrace record -q -l vfs_read -o t.dat no-such-command
ok "a recording that fails leaves an earlier file as it was" cmp good.dat keep.dat

says "list: a name that matches nothing" 1 "no function matches: 'nonsense'" nestrace list nonsense
says "stat -i with a COMMAND" 2 "only -o, --time, --hist, --since, --until and --around go with it" nestrace stat -i good.dat true
says "stat -i with an option that needs a session" 2 "only -o, --time, --hist, --since, --until and --around go with it" nestrace stat -l vfs_read -i good.dat
says "stat -l: a glob that matches nothing" 125 "no function matches -l: 'nonsense'" nestrace stat -l nonsense true

if ftrace_has_switch; then
	echo 0 > /proc/sys/kernel/ftrace_enabled
	says "record while ftrace is switched off" 125 "sysctl kernel.ftrace_enabled=1" nestrace record true
	echo 1 > /proc/sys/kernel/ftrace_enabled
fi

# Output.
says "the output is a full device" 125 "No space left" nestrace record -l vfs_read -o /dev/full true
setup mkdir small
setup mount -t tmpfs -o size=6m tmpfs small
says "the disk fills while recording" 125 "the recording ends, and what was written is kept" \
	nestrace record -b 4096 -o small/t.dat sh -c 'for i in $(seq 500); do cat /proc/self/maps > /dev/null; done'
ok "the disk fills while recording: what was written can be read" sh -c 'nestrace report small/t.dat | grep -q " <- "'
umount small
setup mount -t tmpfs -o size=1m tmpfs small
says "the disk is too small for the recording" 125 "No space left" nestrace record -l vfs_read -o small/t.dat true
is "the disk is too small for the recording: no file is left" "$(ls -A small)" ""
umount small
says "the output is in a directory that does not exist" 125 "cannot write '/nowhere/t.dat'" nestrace record -o /nowhere/t.dat true
says "the output is a pipe" 125 "cannot write to a pipe or terminal: 'p'" sh -c 'mkfifo p; cat p > /dev/null & exec nestrace record -o p true'
says "report to a full device" 1 "cannot write all of standard output" sh -c 'nestrace report good.dat > /dev/full'
says "stat -i to a full device" 1 "cannot write all of '/dev/full'" nestrace stat -i good.dat -o /dev/full
says "stat -i to the file that it reads" 1 "the output would overwrite the input: '-o ./good.dat'" nestrace stat -i good.dat -o ./good.dat
ok "report to a closed pipe prints no error" sh -c 'nestrace report good.dat 2>err | head -n 1 >/dev/null; test ! -s err'

# Input.
says "report: a file that does not exist" 1 "cannot read 'none.dat': No such file" nestrace report none.dat
says "report: a directory" 1 "not a regular file" nestrace report /tmp
: > empty.dat
says "report: an empty file" 1 "too short to be a trace file" nestrace report empty.dat
head -c 100000 /dev/urandom > garbage.dat
says "report: random bytes" 1 "not a trace file: 'garbage.dat'" nestrace report garbage.dat
printf '\027\010\104tracing8\0xxxxxxxxxxxxxxxxxxxxxx' > eight.dat
says "report: a file of a newer version" 1 "cannot read version '8'" nestrace report eight.dat
printf '\027\010\104tracing7\0\0\010\0\020\0\0rot13\00013\0xxxxxxxx' > rot13.dat
says "report: an unknown compression" 1 "cannot read compression 'rot13'" nestrace report rot13.dat
size=$(stat -c %s good.dat)
for cut in 30 300 5000 $((size / 2)); do
	head -c $cut good.dat > cut.dat
	says "report: a file cut at byte $cut" 1 "damaged or cut short" nestrace report cut.dat
done
says "stat -i: a file that does not exist" 1 "cannot read 'none.dat': No such file" nestrace stat -i none.dat
setup insmod /tests/nt_calls.ko
setup nestrace record -q -M 1 -l nt_called -b 4096 -o full.dat sh -c 'echo task 3000 > /proc/nt_calls'
setup rmmod nt_calls
size=$(stat -c %s full.dat)
head -c $((size - 2000)) full.dat > cut.dat
says "report: a file cut in its data" 1 "is cut short" nestrace report cut.dat
says "stat -i: a file cut in its data" 1 "is cut short" nestrace stat -i cut.dat
silent=0
# tests/damage has many more of these on small files.
for i in $(seq 8); do
	at=$((size - 300 * i))
	cp full.dat damaged.dat
	# Skip places that hold these bytes already.
	while cmp -s full.dat damaged.dat; do
		printf '\0\377' | dd of=damaged.dat bs=1 seek=$at conv=notrunc 2>/dev/null
		at=$((at + 1))
	done
	timeout 20 nestrace report damaged.dat > out 2> err
	[ $? = 1 ] && grep -q "is damaged" err || silent=$((silent + 1))
done
is "report: every damage to compressed data gives an error" $silent 0

# Convert the file to the uncompressed format of older readers.
trace-cmd convert --file-version 6 -i full.dat -o six.dat > /dev/null 2>&1
setup test -s six.dat
nestrace report full.dat > seven.txt
nestrace report six.dat > six.txt
ok "report: a file of version 6 shows the same hits" cmp seven.txt six.txt
mv six.dat full.dat
size=$(stat -c %s full.dat)
# Damage in the header or the first event of a full sub-buffer always gives an error. Damage
# anywhere neither crashes the report nor makes it hang.
worst=0 silent=0 differ=0 where=12345
for i in $(seq 20); do
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
	[ $i -le 5 ] || continue
	timeout 20 nestrace stat -i damaged.dat > out 2> err
	[ $? = $status ] || differ=$((differ + 1))
done
ok "report: damaged events neither crash it nor make it hang" test $worst -le 1
is "report: every damage to the head of a sub-buffer gives an error" $silent 0
is "stat -i: it ends with the status of report for each damaged file" $differ 0
says "export: two files" 2 "only one file can be read: 'good.dat' and 'keep.dat'" nestrace export --csv good.dat keep.dat
says "stat: two files" 2 "only one file can be read: '-i good.dat' and '-i keep.dat'" nestrace stat -i good.dat -i keep.dat
says "report: one of two files does not exist" 1 "cannot read 'none.dat': No such file" nestrace report -i good.dat -i none.dat

# Rights, and modules of another ABI.
setup chmod 755 /tmp
says "record as another user" 125 "needs root" su nobody -c 'nestrace record true'
says "stat as another user" 125 "needs root" su nobody -c 'nestrace stat true'
says "record as another user, without a COMMAND" 1 "needs root" su nobody -c 'nestrace record'
chmod 666 /dev/nestrace
says "record without CAP_PERFMON" 125 "CAP_PERFMON" su nobody -c 'nestrace record true'
chmod 600 /dev/nestrace
says "list as another user" 1 "needs root" su nobody -c 'nestrace list'
says "a module that is too old for the command" 1 "too old for this command" nestrace-abi2 status
says "a module that is too new for the command" 1 "too new for this command" nestrace-abi0 status

# The recorder is killed while it records.
# rings: print the KiB that the module has mapped
rings()
{
	awk '/\[nestrace\]/ { n += $2 } END { print int(n / 1024) }' /proc/vmallocinfo
}
before=$(rings)
nestrace record -q -b 65536 -o killed.dat sleep 1000 &
recorder=$!
until_running
inside=$(rings)
ok "a recorder runs: its rings take memory" test $inside -gt $((before + 100000))
kill -KILL $recorder
wait $recorder 2>/dev/null
# It takes ftrace a while to disarm all functions.
ok "a recorder was killed: its session is gone" within_a_minute sessions "0 open, 0 running"
ok "a recorder was killed: no function is traced" sh -c 'test "$(wc -l < /sys/kernel/tracing/enabled_functions)" = 0'
after=$(rings)
ok "a recorder was killed: its rings are freed" test $after -lt $((before + 10000))
ok "a recorder was killed: the module can be unloaded" rmmod nestrace
says "record without the module" 125 "the module is not loaded" nestrace record true
says "record without the module and a COMMAND" 1 "the module is not loaded" nestrace record
says "stat without the module" 125 "the module is not loaded" nestrace stat true
says "status without the module" 1 "the module is not loaded" nestrace status

# nestrace report shows what trace-cmd recorded: as many hits, with the same times and names.
# kernels: 6.1 6.12
setup insmod /tests/nt_calls.ko

# same NAME: test that both show the same hits of t.dat, CPU by CPU
same()
{
	trace-cmd report -N -t -i t.dat 2> /dev/null | sed -n 's/ function: */ /; s/ <-- / <- /p' | tr -s ' ' > theirs
	nestrace report -t t.dat > ours.all 2> err
	is "$1: nestrace report succeeds" $? 0
	is "$1: nestrace report says nothing on standard error" "$(cat err)" ""
	sed -n '/ <- /s/: [a-z]* */: /p' ours.all | tr -s ' ' > ours
	ok "$1: there are hits to compare" test "$(wc -l < theirs)" -gt 10
	for cpu in 000 001; do
		grep -F "[$cpu]" ours > ours.cpu
		grep -F "[$cpu]" theirs > theirs.cpu
		ok "$1: the hits of CPU $cpu are the same, one by one" cmp theirs.cpu ours.cpu
	done
	is "$1: stat -i counts as many" "$(nestrace stat -i t.dat | awk '$1 ~ /^[0-9]+$/ { n += $1 } END { print n + 0 }')" \
		"$(wc -l < theirs)"
}

calls='echo "task 2000 softirq 100 hardirq 100 nmi 50" > /proc/nt_calls; ls -l /proc/self > /dev/null'
record="trace-cmd record -q -p function -l nt_called -l vfs_* -o t.dat"
$record sh -c "$calls" > log 2>&1
same "version 7, compressed"
$record --compression none sh -c "$calls" > log 2>&1
same "version 7, not compressed"
$record --file-version 6 sh -c "$calls" > log 2>&1
same "version 6"
$record -m 8 sh -c "$calls" > log 2>&1
same "a file with one page on some CPUs"
$record sh -c 'read -r x < /proc/loadavg; ls -l / > /dev/null' > log 2>&1
same "a small file"
$record -C mono sh -c "$calls" > log 2>&1
same "clock mono"
trace-cmd record -q -p function -o t.dat sh -c "$calls" > log 2>&1
same "all functions"

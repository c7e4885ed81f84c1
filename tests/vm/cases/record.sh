# The options of record, report, stat, list and status do what they are for.
# slow: 6.1 debug-6.12
# kernels: all
setup insmod /tests/nt_calls.ko

ok "nestrace status succeeds" nestrace status
ok "list: it finds a function" sh -c 'nestrace list vfs_read | grep -qx vfs_read'
ok "list :mod:MODULE: it finds the functions of a module" sh -c 'nestrace list :mod:nt_calls | grep -qx "nt_called \[nt_calls\]"'

nestrace record -q -l 'vfs_*' -n vfs_write -o t.dat sh -c 'echo out; echo err >&2; read x < /proc/self/comm; exit 3' > out 2> err
is "record: it passes on the exit status of COMMAND" $? 3
is "record: the standard output of COMMAND is untouched" "$(cat out)" out
is "record: the standard error of COMMAND is untouched" "$(cat err)" err
setup nestrace report t.dat > r
ok "-l: functions that match are traced" grep -q ' task     vfs_read <- ksys_read' r
ok "-n: functions that match are not traced" sh -c '! grep -q " vfs_write <-" r'
ok "-l: nothing else is traced" sh -c '! grep -v "^#" r | grep -qv " vfs_"'
ok "report: tasks have names" grep -q ' sh-[0-9]' r
ok "report: no task is without a name" sh -c '! grep -q "<\.\.\.>" r'

setup nestrace record -q -F -l '*:mod:nt_calls' -o t.dat sh -c 'echo "here 10" > /proc/nt_calls'
setup nestrace report t.dat > r
is "-l :mod:MODULE: the 10 calls of the module's function are traced" "$(grep -c ' nt_called <- ' r)" 10
ok "-l :mod:MODULE: no function outside of the module is traced" sh -c '! grep -v "^#" r | grep -qvE "nt_called|helper_|loop|command|run"'

setup nestrace record -q -l nt_called -l loadavg_proc_show -n :mod:nt_calls -o t.dat sh -c 'echo "here 10" > /proc/nt_calls; cat /proc/loadavg'
setup nestrace report t.dat > r
is "-n :mod:MODULE: no hit of the module is recorded" "$(grep -c 'nt_called <-' r)" 0
is "-n :mod:MODULE: the hits of the module are filtered" "$(counter r task filtered)" 10
ok "-n :mod:MODULE: the other functions of -l are traced" grep -q ' loadavg_proc_show <- ' r

# The calls of nestrace itself are counted but not recorded.
setup nestrace record -q -l 'vfs_*' -o t.dat sleep 1
setup nestrace report t.dat > r
ok "nestrace's own calls are not recorded" sh -c '! grep -v "^#" r | grep -q " *nestrace-"'
ok "nestrace's own calls are filtered" test "$(counter r task filtered)" -gt 0
ok "every hit is recorded, lost, recursed or filtered" adds_up r

# again FILE...: wait until each FILE has three lines more
again()
{
	for file; do
		lines=$(wc -l < $file)
		until [ $(wc -l < $file) -gt $((lines + 2)) ]; do usleep 10000; done
	done
}
touch rounds1 rounds2 rounds3
sh -c 'while :; do read x < /proc/self/comm; echo >> rounds1; usleep 1000; done' & busy=$!
sh -c 'while :; do read x < /proc/self/comm; echo >> rounds2; usleep 1000; done' & other=$!
setup nestrace record -q -l vfs_read -P $busy -o t.dat sh -c "$(text_of again); again rounds1"
setup nestrace report t.dat > r
ok "-P PID: the process is traced" grep -q -- "sh-$busy " r
ok "-P PID: no other process is traced" sh -c '! grep -v "^#" r | grep -qv -- "sh-'$busy' "'
ok "-P PID: the hits of other processes are filtered" test "$(counter r task filtered)" -gt 0
setup nestrace record -q -l vfs_read -P $busy -P $other -o t.dat sh -c "$(text_of again); again rounds1 rounds2"
setup nestrace report t.dat > r
ok "-P PID -P PID: both processes are traced" sh -c "grep -q -- 'sh-$busy ' r && grep -q -- 'sh-$other ' r"
setup nestrace record -q -l vfs_read -P $busy,$other -o t.dat sh -c "$(text_of again); again rounds1 rounds2"
setup nestrace report t.dat > r
ok "-P PID,PID: both processes are traced" sh -c "grep -q -- 'sh-$busy ' r && grep -q -- 'sh-$other ' r"
ok "-P PID,PID: no other process is traced" sh -c "! grep -v '^#' r | grep -qvE -- 'sh-($busy|$other) '"
kill $busy $other
sh -c 'while :; do cat /proc/self/comm > /dev/null; echo >> rounds3; done' & busy=$!
setup nestrace record -q -l vfs_read -P $busy -c -o t.dat sh -c "$(text_of again); again rounds3"
kill $busy
setup nestrace report t.dat > r
ok "-P PID -c: the children are traced" grep -q ' cat-' r

sleep 100 & sleeper=$!
setup nestrace record -q -l '*nanosleep*' -l 'vfs_*' -P $sleeper -o t.dat sh -c 'cat /proc/self/comm > /dev/null'
setup nestrace report t.dat > r
ok "-P PID of a sleeping process: no other process is traced" sh -c '! grep -v "^#" r | grep -qv -- "sleep-'$sleeper' "'
kill $sleeper
setup nestrace record -q -l vfs_read -F -o t.dat sh -c 'read x < /proc/self/comm; cat /proc/self/stat; true'
setup nestrace report t.dat > r
ok "-F: the command is traced" grep -q ' sh-' r
ok "-F: the children of the command are not traced" sh -c '! grep -q " cat-" r'
setup nestrace record -q -l vfs_read -F -c -o t.dat sh -c 'read x < /proc/self/comm; cat /proc/self/stat; true'
setup nestrace report t.dat > r
ok "-F -c: the children of the command are traced" grep -q ' cat-' r

setup nestrace record -q -M 2 -M -1 -l nt_called -o t.dat sh -c 'echo "task 100" > /proc/nt_calls'
is "-M 2 -M -1: the last one counts, and all CPUs are traced" "$(nestrace report t.dat | grep -c nt_called)" 200
setup nestrace record -q -M 2 -l nt_called -o t.dat sh -c 'echo "task 100" > /proc/nt_calls'
setup nestrace report t.dat > r
is "-M 2: the hits of CPU 1 are recorded" "$(grep -c '\[001\].*nt_called' r)" 100
is "-M 2: no hit of CPU 0 is recorded" "$(grep -c '\[000\].*nt_called' r)" 0
is "-M 2: the hits of CPU 0 are filtered" "$(counter r task filtered)" 100

# nt_hits OPTION...: count the hits of nt_called that the report shows with these options
nt_hits()
{
	nestrace report "$@" t.dat | grep -c nt_called
}
setup nestrace record -q -p function -l nt_called -o t.dat sh -c 'echo "task 100 hardirq 50" > /proc/nt_calls'
is "-p function: it is accepted" "$(nt_hits)" 300
is "report --cpu 1: it shows the hits of CPU 1" "$(nt_hits --cpu 1)" 150
is "report --cpu 0-1: it shows the hits of both CPUs" "$(nt_hits --cpu 0-1)" 300
is "report --cpu 0,1: it shows the hits of both CPUs" "$(nt_hits --cpu 0,1)" 300
is "report --cpu 1-1: it shows the hits of CPU 1" "$(nt_hits --cpu 1-1)" 150
is "report --context hardirq: it shows the hits in hardirq" "$(nt_hits --context hardirq)" 100
nestrace report t.dat | awk '/nt_called/ { sub(":", "", $3); print $3 }' > times
middle=$(sed -n 150p times)
is "report --since: it shows the hits printed with that time and later ones" \
	"$(nt_hits --since "$middle")" "$(awk -v t="$middle" '$1 >= t' times | wc -l)"
is "report --until: it shows the hits printed with that time and earlier ones" \
	"$(nt_hits --until "$middle")" "$(awk -v t="$middle" '$1 <= t' times | wc -l)"
is "report --around: it shows the calls and what is near" "$(nt_hits --around 'nt_c?lled:1us')" 300
is "stat -i --since: it counts the hits of that time" \
	"$(nestrace stat -i t.dat --since "$middle" | awk '$3 == "nt_called" { n += $1 } END { print n + 0 }')" \
	"$(nt_hits --since "$middle")"

# ring_kb SIZE: print the sizes of the rings of a recording with -b SIZE
ring_kb()
{
	setup nestrace record -q -l nt_called -b "$1" -o t.dat true
	trace-cmd report --stat -i t.dat | sed -n 's/^ring_kb: //p' | tr '\n' ' '
}
is "-b 512K: the rings are those of -b 512" "$(ring_kb 512K)" "$(ring_kb 512)"
is "-b 8M: the rings are those of -b 8192" "$(ring_kb 8M)" "$(ring_kb 8192)"
ok "-b 8M: both CPUs have rings" test "$(ring_kb 8M | wc -w)" = 2

for clock in global tsc mono; do
	setup nestrace record -q -C $clock -l nt_called -o t.dat sh -c 'echo "task 500 hardirq 100" > /proc/nt_calls'
	setup nestrace report -t t.dat > r
	is "clock $clock: each call is recorded" "$(grep -c 'nt_called <-' r)" 1200
	ok "clock $clock: the time of a CPU never goes back" awk '/nt_called/ { gsub(/[.:]/, "", $3); t = $3 + 0; if (t < last[$2]) bad = 1; last[$2] = t } END { exit bad }' r
	wall=$(trace-cmd report --stat -i t.dat | sed -n 's/^wall_clock: //p')
	ok "clock $clock: the file has the wall clock" test "$(($(date +%s) - ${wall%%.*}))" -lt 60
	# the time of it is within a minute of the hits, as trace-cmd shows them
	trace-cmd report --raw-ts -i t.dat 2> /dev/null | sed -n '/nt_called/{s/.*\] *\([0-9]*\):.*/\1/p;q}' > raw
	ok "clock $clock: that time is by the clock of the hits" awk -v at="${wall##* }" -v clock=$clock '{ gap = ($1 - at) / 1e9; exit !(gap > -60 && gap < 200) }' raw
	ok "clock $clock: trace-cmd reads the file" sh -c "trace-cmd report -i t.dat > /dev/null"
done

setup nestrace stat -l nt_called sh -c 'echo "task 300 hardirq 70" > /proc/nt_calls' > r
is "stat: it counts the calls in task" "$(awk '$2 == "task" && $3 == "nt_called" { print $1 }' r)" 600
is "stat: it counts the calls in hardirq" "$(awk '$2 == "hardirq" && $3 == "nt_called" { print $1 }' r)" 140

# stat -i counts what report shows. Some functions share a name.
setup nestrace record -q -F -c -o t.dat sh -c 'echo "task 300 hardirq 70" > /proc/nt_calls; cat /proc/self/stat'
nestrace report t.dat | awk '!/^#/ && / <- / { n[$4 " " $5]++ } END { for (i in n) print i, n[i] }' |
	sort > shown
setup nestrace stat -i t.dat > r
awk '/^ *[0-9]+ / { n[$2 " " $3] += $1 } END { for (i in n) print i, n[i] }' r | sort > counted
ok "stat -i: there are more than 200 functions to count" test "$(wc -l < counted)" -gt 200
ok "stat -i: it counts what report shows" cmp shown counted
ok "stat -i: every hit is recorded, lost, recursed or filtered" adds_up r
setup nestrace stat -i t.dat -o r2
ok "stat -i -o: it writes the same to a file" cmp r r2

nestrace record -q -l 'vfs_*' -o t.dat sleep 100 &
recorder=$!
until_running
kill -INT $recorder
wait $recorder
is "Ctrl-C ends a recording in the background" $? 0
ok "Ctrl-C: the command is ended" sh -c '! pidof sleep'
ok "Ctrl-C: nestrace report reads the file" nestrace report t.dat
ok "Ctrl-C: no temporary file is left" sh -c '! ls -A | grep -q "^\.nestrace"'

# record, report, stat, list, status: what they are for.
# kernels: all
insmod /tests/nt_calls.ko

ok "status" nestrace status
ok "list finds a function" sh -c 'nestrace list vfs_read | grep -qx vfs_read'
ok "list by module" sh -c 'nestrace list :mod:nt_calls | grep -qx "nt_called \[nt_calls\]"'

nestrace record -q -l 'vfs_*' -n vfs_write -o t.dat sh -c 'echo out; echo err >&2; read x < /proc/self/comm; exit 3' > out 2> err
is "the status of the command is passed on" $? 3
is "its standard output is untouched" "$(cat out)" out
is "its standard error is untouched" "$(cat err)" err
nestrace report t.dat > r
ok "-l traces what matches" grep -q ' task     vfs_read <- ksys_read' r
ok "-n leaves out" sh -c '! grep -q " vfs_write <-" r'
ok "and nothing else is traced" sh -c '! grep -v "^#" r | grep -qv " vfs_"'
ok "tasks have names" grep -q ' sh-[0-9]' r
ok "and none is unknown" sh -c '! grep -q "<\.\.\.>" r'

nestrace record -q -F -l '*:mod:nt_calls' -o t.dat sh -c 'echo "here 10" > /proc/nt_calls'
nestrace report t.dat > r
is ":mod: traces the module's functions, 10 calls" "$(grep -c ' nt_called <- ' r)" 10
ok "and only them" sh -c '! grep -v "^#" r | grep -qvE "nt_called|helper_|loop|command|run"'

nestrace record -q -l nt_called -l loadavg_proc_show -n :mod:nt_calls -o t.dat sh -c 'echo "here 10" > /proc/nt_calls; cat /proc/loadavg'
nestrace report t.dat > r
is "-n :mod: leaves the module out" "$(grep -c 'nt_called <-' r)" 0
is "and counts its hits as filtered" "$(counter r task 7)" 10
ok "but not the rest" grep -q ' loadavg_proc_show <- ' r

# what nestrace itself does is not recorded, and counted
nestrace record -q -l 'vfs_*' -o t.dat sleep 1
nestrace report t.dat > r
ok "nestrace's own calls are not recorded" sh -c '! grep -v "^#" r | grep -q " *nestrace-"'
ok "they are filtered" test "$(counter r task 7)" -gt 0
ok "all are accounted for" adds_up r

# again FILE...: until each has some lines more
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
nestrace record -q -l vfs_read -P $busy -o t.dat sh -c "$(text_of again); again rounds1"
nestrace report t.dat > r
ok "-P traces that pid" grep -q -- "sh-$busy " r
ok "-P traces no other" sh -c '! grep -v "^#" r | grep -qv -- "sh-'$busy' "'
ok "whose hits are filtered" test "$(counter r task 7)" -gt 0
nestrace record -q -l vfs_read -P $busy -P $other -o t.dat sh -c "$(text_of again); again rounds1 rounds2"
nestrace report t.dat > r
ok "two -P trace both" sh -c "grep -q -- 'sh-$busy ' r && grep -q -- 'sh-$other ' r"
kill $busy $other
sh -c 'while :; do cat /proc/self/comm > /dev/null; echo >> rounds3; done' & busy=$!
nestrace record -q -l vfs_read -P $busy -c -o t.dat sh -c "$(text_of again); again rounds3"
kill $busy
nestrace report t.dat > r
ok "-P -c traces the children" grep -q ' cat-' r

sleep 100 & sleeper=$!
nestrace record -q -l '*nanosleep*' -l 'vfs_*' -P $sleeper -o t.dat sh -c 'cat /proc/self/comm > /dev/null'
nestrace report t.dat > r
ok "-P leaves out other pids" sh -c '! grep -v "^#" r | grep -qv -- "sleep-'$sleeper' "'
kill $sleeper
nestrace record -q -l vfs_read -F -o t.dat sh -c 'read x < /proc/self/comm; cat /proc/self/stat; true'
nestrace report t.dat > r
ok "-F traces the command" grep -q ' sh-' r
ok "but not its children" sh -c '! grep -q " cat-" r'
nestrace record -q -l vfs_read -F -c -o t.dat sh -c 'read x < /proc/self/comm; cat /proc/self/stat; true'
nestrace report t.dat > r
ok "-F -c traces them too" grep -q ' cat-' r

nestrace record -q -M 2 -M -1 -l nt_called -o t.dat sh -c 'echo "task 100" > /proc/nt_calls'
is "the last -M counts: all CPUs" "$(nestrace report t.dat | grep -c nt_called)" 200
nestrace record -q -M 2 -l nt_called -o t.dat sh -c 'echo "task 100" > /proc/nt_calls'
nestrace report t.dat > r
is "-M 2 records on CPU 1" "$(grep -c '\[001\].*nt_called' r)" 100
is "and not on CPU 0" "$(grep -c '\[000\].*nt_called' r)" 0
is "whose hits are filtered" "$(counter r task 7)" 100

for clock in global tsc mono; do
	nestrace record -q -C $clock -l nt_called -o t.dat sh -c 'echo "task 500 hardirq 100" > /proc/nt_calls'
	nestrace report -t t.dat > r
	is "clock $clock: all recorded" "$(grep -c 'nt_called <-' r)" 1200
	ok "clock $clock: never back" awk '/nt_called/ { gsub(/[.:]/, "", $3); t = $3 + 0; if (t < last[$2]) bad = 1; last[$2] = t } END { exit bad }' r
	ok "clock $clock: trace-cmd reads it" sh -c "trace-cmd report -i t.dat > /dev/null"
done

nestrace stat -l nt_called sh -c 'echo "task 300 hardirq 70" > /proc/nt_calls' > r
is "stat counts by slot: task" "$(awk '$2 == "task" && $3 == "nt_called" { print $1 }' r)" 600
is "stat counts by slot: hardirq" "$(awk '$2 == "hardirq" && $3 == "nt_called" { print $1 }' r)" 140

# a file is counted as it is shown; some functions have a name in common
nestrace record -q -F -c -o t.dat sh -c 'echo "task 300 hardirq 70" > /proc/nt_calls; cat /proc/self/stat'
nestrace report t.dat | awk '!/^#/ && / <- / { n[$4 " " $5]++ } END { for (i in n) print i, n[i] }' |
	sort > shown
nestrace stat -i t.dat > r
awk '/^ *[0-9]+ / { n[$2 " " $3] += $1 } END { for (i in n) print i, n[i] }' r | sort > counted
ok "stat -i: there is a lot to count" test "$(wc -l < counted)" -gt 200
ok "stat -i counts what report shows" cmp shown counted
ok "stat -i tells the accounting" adds_up r
nestrace stat -i t.dat -o r2
ok "stat -i -o writes the same to a file" cmp r r2

nestrace record -q -l 'vfs_*' -o t.dat sleep 100 &
recorder=$!
until_running
kill -INT $recorder
wait $recorder
is "Ctrl-C ends the recording, in the background too" $? 0
ok "and the command" sh -c '! pidof sleep'
ok "and the file is whole" nestrace report t.dat
ok "and no temporary file stays" sh -c '! ls -A | grep -q "^\.nestrace"'

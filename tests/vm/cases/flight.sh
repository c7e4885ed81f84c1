# nestrace record --flight: the newest events, kept until something ends it, without a gap
# at their end.
# slow: 6.1
# kernels: 6.1 6.12 debug-6.12 debug-7.2 backports
insmod /tests/nt_calls.ko

# more N: until the command has made so many more rounds, for a minute at most
more()
{
	within_a_minute made_rounds $(($(wc -l < rounds) + $1))
}

made_rounds()
{
	[ "$(wc -l < rounds)" -ge "$1" ]
}

# flight NAME STATUS TEXT OPTION...: nt_called is called without end, until $by ends it
flight()
{
	what=$1 status=$2 text=$3
	shift 3
	rm -f over t.dat
	: > rounds
	nestrace record --flight -l nt_called -b 256 -o t.dat "$@" \
		sh -c 'until [ -e over ]; do echo task 2000 > /proc/nt_calls; echo >> rounds; done' 2> err &
	recorder=$!
	until_running
	more 12
	eval "$by"
	# who ends from within, or by SIGUSR1, does not end the command
	ok "$what: the file is there, whatever the command does" within_a_minute test -e t.dat
	touch over
	wait $recorder
	is "$what: its status" $? "$status"
	ok "$what: told" grep -q "$text" err
	ok "$what: a file is there" sh -c "nestrace report t.dat > r"
	ok "$what: adds up" adds_up r
	ok "$what: older ones were overwritten" test "$(counter r total 5)" -gt 10000
	ok "$what: a ring full of them is kept" test "$(counter r task 4)" -gt 3000
	is "$what: all that are kept are shown" "$(grep -vc '^#\|DROPPED' r)" "$(counter r total 4)"
	# a gap may be before the first event of a slot, and nowhere else
	is "$what: there is no gap behind the first event of a CPU" "$(awk '
		/DROPPED/ { split($1, at, ":"); if (seen[at[2] + 0]) bad++; next }
		!/^#/ { split($2, at, /[][]/); seen[at[2] + 0]++ }
		END { print bad + 0 }' r)" 0
	is "$what: trace-cmd reads as many" \
		"$(trace-cmd report -i t.dat 2> /dev/null | grep -c ' <-- ')" "$(counter r total 4)"
}

by='kill -USR1 $recorder'
flight "SIGUSR1" 0 "events kept"
by='kill -INT $recorder'
flight "Ctrl-C" 0 "events kept"
by='touch over'
flight "the command's end" 0 "events kept"
by='cat /proc/loadavg > /dev/null; more 4'
flight "trigger" 0 "ended by a trigger" --trigger 'loadavg_proc_show' -l loadavg_proc_show
is "trigger: its own hit is kept" "$(grep -c ' loadavg_proc_show <- ' r)" 1
# each ring takes no more than the rest of its sub-buffer
ok "trigger: what came after it is little" sh -c \
	'test "$(sed "1,/ loadavg_proc_show <- /d; /^#/d" r | wc -l)" -le $((146 * 3 * 2))'
# more than these rests take, before its end takes the hook off
nestrace record -q --flight --trigger nt_called -l nt_called -b 8 -o n.dat sh -c 'echo task 20000 > /proc/nt_calls'
nestrace report n.dat > r
ok "trigger: later hits are filtered" test "$(counter r task 7)" -gt 0

# with what is interrupted, and all functions
nestrace record --flight -b 1024 -o t.dat --trigger 'loadavg_proc_*' sh -c 'sleep 3; cat /proc/loadavg' > out 2> err
ok "all functions: ended by the trigger" grep -q "ended by a trigger" err
nestrace report t.dat > r
ok "all functions: adds up" adds_up r
ok "all functions: the trigger's hit is there" grep -q ' loadavg_proc_show <- ' r

nestrace record -q --flight -l vfs_read -o t.dat sh -c 'cat /proc/self/comm' > out
ok "little enough to keep: nothing is lost" sh -c 'nestrace report t.dat | grep -q " vfs_read <- ksys_read" && ! nestrace report t.dat | grep -q DROPPED'
says "--trigger without --flight" 2 "there is no --flight" nestrace record --trigger vfs_read true
says "a trigger that matches nothing" 1 "--trigger 'nonsense_*': no function" nestrace record --flight --trigger 'nonsense_*' true
ok "unload" rmmod nestrace

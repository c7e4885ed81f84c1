# nestrace record --flight keeps the newest hits until something ends the recording. They have
# no gap at their end.
# slow: 6.1 debug-6.12
# kernels: 6.1 6.12 debug-6.12 debug-7.2 backports
setup insmod /tests/nt_calls.ko

# more N: wait until the command has made N more rounds, for a minute at most
more()
{
	within_a_minute made_rounds $(($(wc -l < rounds) + $1))
}

# made_rounds N: succeed if the command has made N rounds
made_rounds()
{
	[ "$(wc -l < rounds)" -ge "$1" ]
}

# flight NAME STATUS TEXT OPTION...: record endless calls of nt_called until $by ends the
# recording; test that nestrace ends with STATUS and prints TEXT
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
	setup more 12
	eval "$by"
	# A trigger or a signal does not end the command.
	ok "$what: the file is written while the command still runs" within_a_minute test -e t.dat
	touch over
	wait $recorder
	is "$what: the exit status is $status" $? "$status"
	ok "$what: nestrace prints why the recording ended" grep -q "$text" err
	ok "$what: nestrace report reads the file" sh -c "nestrace report t.dat > r"
	ok "$what: every hit is recorded, lost, recursed or filtered" adds_up r
	ok "$what: older hits are overwritten" test "$(counter r total lost)" -gt 10000
	ok "$what: a full ring of hits is kept" test "$(counter r task recorded)" -gt 3000
	is "$what: each hit that is kept is shown" "$(grep -vc '^#\|DROPPED' r)" "$(counter r total recorded)"
	# A gap may only be before the first hit of a context.
	is "$what: no gap follows the first hit of a CPU" "$(awk '
		/DROPPED/ { split($1, at, ":"); if (seen[at[2] + 0]) bad++; next }
		!/^#/ { split($2, at, /[][]/); seen[at[2] + 0]++ }
		END { print bad + 0 }' r)" 0
	is "$what: trace-cmd shows as many hits" \
		"$(trace-cmd report -i t.dat 2> /dev/null | grep -c ' <-- ')" "$(counter r total recorded)"
}

by='kill -USR1 $recorder'
flight "SIGUSR1" 0 "hits kept"
by='kill -USR2 $recorder'
flight "SIGUSR2" 0 "hits kept"
by='kill -INT $recorder'
flight "Ctrl-C" 0 "hits kept"
by='touch over'
flight "the end of the command" 0 "hits kept"
by='cat /proc/loadavg > /dev/null; setup more 4'
flight "trigger" 0 "ended by a trigger" --trigger 'loadavg_proc_show' -l loadavg_proc_show
is "trigger: the hit of the trigger is kept" "$(grep -c ' loadavg_proc_show <- ' r)" 1
# A frozen ring takes no more than the rest of its sub-buffer.
ok "trigger: no more hits are recorded after it than fit in the sub-buffers" sh -c \
	'test "$(sed "1,/ loadavg_proc_show <- /d; /^#/d" r | wc -l)" -le $((146 * 3 * 2))'
# Make more calls than these sub-buffers hold, before the hook is removed.
setup nestrace record -q --flight --trigger nt_called -l nt_called -b 8 -o n.dat sh -c 'echo task 20000 > /proc/nt_calls'
setup nestrace report n.dat > r
ok "trigger: later hits are filtered" test "$(counter r task filtered)" -gt 0

# All functions are traced, and interrupts nest.
setup nestrace record --flight -b 1024 -o t.dat --trigger 'loadavg_proc_*' sh -c 'sleep 3; cat /proc/loadavg' > out 2> err
ok "trigger, all functions: nestrace says that a trigger ended the recording" grep -q "ended by a trigger" err
setup nestrace report t.dat > r
ok "trigger, all functions: every hit is recorded, lost, recursed or filtered" adds_up r
ok "trigger, all functions: the hit of the trigger is kept" grep -q ' loadavg_proc_show <- ' r

setup nestrace record -q --flight -l vfs_read -o t.dat sh -c 'cat /proc/self/comm' > out
ok "a flight recording that fits in the rings loses no hit" sh -c 'nestrace report t.dat | grep -q " vfs_read <- ksys_read" && ! nestrace report t.dat | grep -q DROPPED'
says "--trigger without --flight" 2 "there is no --flight" nestrace record --trigger vfs_read true
says "--trigger: a glob that matches nothing" 125 "no function matches --trigger: 'nonsense_*'" nestrace record --flight --trigger 'nonsense_*' true
ok "the module can be unloaded" rmmod nestrace

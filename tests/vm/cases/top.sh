# nestrace top works in a terminal, which tmux provides.
# programs: tmux
setup insmod /tests/nt_calls.ko
export LANG=C.UTF-8
# A picture may be captured while it is drawn. So each of these functions captures one picture
# and is repeated until it succeeds.

# seen REGEXP: succeed if a line matches
seen()
{
	tmux capture-pane -p > pane
	grep -qE -- "$1" pane
}
# lines N: succeed if there are N lines, a head of three and below it only rows, not wrapped
lines()
{
	tmux capture-pane -p > pane
	[ "$(grep -c . pane)" = "$1" ] && grep -q "hits/s" pane &&
		[ "$(sed 1,3d pane | grep -cE "^ *[0-9]+[kM]? +[0-9]+[kM]? ")" = $(($1 - 3)) ]
}
# sorted_by COLUMN: succeed if the rows are sorted by COLUMN
sorted_by()
{
	tmux capture-pane -p | sed 1,3d | sed "s/\([0-9]\)k /\1000 /g; s/\([0-9]\)M /\1000000 /g" |
		awk -v column="$1" '{ print $column }' > column
	[ "$(grep -c . column)" -gt 9 ] && sort -rn -c column
}
# stays: succeed if the rows are the same after 2 s
stays()
{
	tmux capture-pane -p | sed 1,2d > held
	sleep 2
	tmux capture-pane -p | sed 1,2d > later
	cmp held later
}

nestrace top < /dev/null > out 2> errors
is "without a terminal: nestrace top fails" $? 1
ok "without a terminal: the message names nestrace stat" grep -q "top needs a terminal; nestrace stat" errors

(until [ -e stop ]; do echo "task 200 softirq 20 hardirq 20 nmi 20" > /proc/nt_calls; usleep 50000; done) &
setup tmux -u new-session -d -x 100 -y 20 'trap : INT; stty -g > before
	TERM=unheard-of nestrace top 2> unheard
	nestrace top -l no_such_function 2> filter
	nestrace top; echo $? > status; stty -g > after
	nestrace top -l "nt_c*"; echo $? > status2; sleep 1000'
ok "nestrace top shows functions" within_a_minute seen " (_raw_spin|nt_called|_*rcu_)[a-z_]*$"
ok "an unknown terminal: the message names it" grep -q "unknown type of terminal: 'TERM=unheard-of'" unheard
ok "-l with a glob that matches nothing: the message names it" grep -q "no function matches -l: 'no_such_function'" filter
ok "the first line shows the hits per second" within_a_minute seen "^nestrace top +[0-9]+ s, 2 CPUs: [1-9][0-9]* hits/s"
ok "the second line shows the lost hits" within_a_minute seen "^lost [0-9]+"
ok "the rows fill the screen" within_a_minute lines 20
sed 's/ *$//' pane | head -n 9 | show
ok "the rows are sorted by calls per second" within_a_minute sorted_by 1
tmux resize-window -x 60 -y 8
ok "the rows fill a smaller window" within_a_minute lines 8
tmux resize-window -x 120 -y 24
ok "the rows fill a larger window" within_a_minute lines 24
tmux send-keys t
ok "key t: the second line says that all calls count" within_a_minute seen "sorted by all calls"
ok "key t: the rows are sorted by all calls" within_a_minute sorted_by 2
tmux send-keys Space
ok "key space: the second line says that the picture is paused" within_a_minute seen "PAUSED"
ok "key space: the rows do not change" sh -c "$(text_of stays); stays || stays || stays"
tmux send-keys q
ok "key q: nestrace top ends" within_a_minute test -s status
is "key q: the exit status is 0" "$(cat status)" 0
ok "key q: the terminal is restored" within_a_minute cmp before after
ok "-l: nestrace top shows the function" within_a_minute seen " nt_called$"
is "-l: nestrace top shows no other function" "$(sed 1,3d pane | grep -c .)" 1
ok "-l: the function has a share in each context" within_a_minute seen "( +[0-9]+%){4} +nt_called$"
note "$(sed 1,3d pane | head -n 1)"
tmux send-keys C-c
ok "Ctrl-C: nestrace top ends" within_a_minute test -s status2
is "Ctrl-C: the exit status is 0" "$(cat status2)" 0
ok "Ctrl-C: nestrace top prints the accounting" within_a_minute seen "^# total"
touch stop
wait
tmux kill-server
ok "after all: no session is left" within_a_minute sessions "0 open, 0 running"
ok "the module can be unloaded" rmmod nestrace

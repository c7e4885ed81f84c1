# nestrace top in a terminal, which tmux is.
# programs: tmux
insmod /tests/nt_calls.ko
export LANG=C.UTF-8
# A picture may be caught while it is drawn, half of it the one before: so each of these
# looks at one, and is tried until it has seen what it looks for.
seen() # REGEXP
{
	tmux capture-pane -p > pane
	grep -qE -- "$1" pane
}
# a head of three lines, and below it rows alone, none of them wrapped
lines() # N
{
	tmux capture-pane -p > pane
	[ "$(grep -c . pane)" = "$1" ] && grep -q "hits/s" pane &&
		[ "$(sed 1,3d pane | grep -cE "^ *[0-9]+[kM]? +[0-9]+[kM]? ")" = $(($1 - 3)) ]
}
sorted_by() # COLUMN
{
	tmux capture-pane -p | sed 1,3d | sed "s/\([0-9]\)k /\1000 /g; s/\([0-9]\)M /\1000000 /g" |
		awk -v column="$1" '{ print $column }' > column
	[ "$(grep -c . column)" -gt 9 ] && sort -rn -c column
}
stays()
{
	tmux capture-pane -p | sed 1,2d > held
	sleep 2
	tmux capture-pane -p | sed 1,2d > later
	cmp held later
}

nestrace top < /dev/null > out 2> errors
is "without a terminal it is refused" $? 1
ok "and nestrace stat is named" grep -q "top needs a terminal; nestrace stat" errors

(until [ -e stop ]; do echo "task 200 softirq 20 hardirq 20 nmi 20" > /proc/nt_calls; usleep 50000; done) &
tmux -u new-session -d -x 100 -y 20 'trap : INT; stty -g > before
	TERM=unheard-of nestrace top 2> unheard
	nestrace top -l no_such_function 2> filter
	nestrace top; echo $? > status; stty -g > after
	nestrace top -l "nt_c*"; echo $? > status2; sleep 1000'
ok "it shows functions" within_a_minute seen " (_raw_spin|nt_called|_*rcu_)[a-z_]*$"
ok "a terminal that is not known is named" grep -q "does not know the terminal 'unheard-of'" unheard
ok "a filter that matches nothing is told" grep -q "'no_such_function': no function" filter
ok "hits by second" within_a_minute seen "^nestrace top +[0-9]+ s, 2 CPUs: [1-9][0-9]* hits/s"
ok "lost and refused" within_a_minute seen "^lost [0-9]+, refused [0-9]+"
ok "the screen is full" within_a_minute lines 20
sed 's/ *$//' pane | head -n 9 | while read -r line; do note "$line"; done
ok "sorted by calls a second" within_a_minute sorted_by 1
tmux resize-window -x 60 -y 8
ok "a smaller window" within_a_minute lines 8
tmux resize-window -x 120 -y 24
ok "a larger one" within_a_minute lines 24
tmux send-keys t
ok "t sorts by all calls" within_a_minute seen "sorted by all calls"
ok "and so it is" within_a_minute sorted_by 2
tmux send-keys Space
ok "space holds it" within_a_minute seen "HELD"
ok "so that it stays as it is" sh -c "$(text_of stays); stays || stays || stays"
tmux send-keys q
ok "q quits" within_a_minute test -s status
is "with status" "$(cat status)" 0
ok "the terminal is as it was" within_a_minute cmp before after
ok "with a filter: that function alone" within_a_minute seen " nt_called$"
is "and no other" "$(sed 1,3d pane | grep -c .)" 1
ok "in every slot" within_a_minute seen "( +[0-9]+%){4} +nt_called$"
note "$(sed 1,3d pane | head -n 1)"
tmux send-keys C-c
ok "Ctrl-C quits" within_a_minute test -s status2
is "with status" "$(cat status2)" 0
ok "what became of all hits is told" within_a_minute seen "^# total"
touch stop
wait
tmux kill-server
ok "no session is left" within_a_minute sessions "0 open, 0 running"
ok "unload" rmmod nestrace

# bash completion for nestrace
_nestrace()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} options

	# --context=WORD comes as three words
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "record report restore send snapshot export stat top status list diff audit assert livepatch events doctor bench help --help --version" -- "$cur")
		return
	fi
	case $prev in
	help)
		mapfile -t COMPREPLY < <(compgen -W "record report restore send snapshot export stat top status list diff audit assert livepatch events doctor bench" -- "$cur")
		return ;;
	-C)
		mapfile -t COMPREPLY < <(compgen -W "global tsc mono" -- "$cur")
		return ;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur")
		return ;;
	--context)
		mapfile -t COMPREPLY < <(compgen -W "task softirq hardirq nmi df db mce vc vc2" -- "$cur")
		return ;;
	-P | --pid | --tid)
		mapfile -t COMPREPLY < <(cd /proc && compgen -W "$(echo [0-9]*)" -- "$cur")
		return ;;
	--cpu | --comm | -M | -b)
		return ;;
	-F)
		# a filter; for record and stat, -F takes no word
		[[ $command != report && $command != export && $command != diff ]] || return 0 ;;
	esac
	[[ $command != list || $cur = -* ]] || prev=-l
	case $prev in
	-l | -n | --trigger | --stack-of)
		# only root can read the list
		mapfile -t COMPREPLY < <(
			[ -r /sys/kernel/tracing/available_filter_functions ] && [ -n "$cur" ] &&
			compgen -W "$(cut -d ' ' -f 1 /sys/kernel/tracing/available_filter_functions |
				      grep -- "^$cur")" -- "$cur")
		return ;;
	-i | -o | --vmcore)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	esac
	case $command in
	record) options="-l -n -P --tid --cgroup -F -c -M -C -b -e -f --ret --ret=exit --stack --func-stack --stack-of --args --args=deep -A --if -W --flight --trigger --warn --rotate --keep --exec --boot --persist -N -V -o -q -h --help" ;;
	report) options="-i --vmcore --last-boot --session -t --graph --line --line-from --color --since --until --around -F --cpu --pid --tid --comm --context -h --help" ;;
	restore) options="-o --vmcore --last-boot --discard --session -q -h --help" ;;
	send) options="-N -V -q -h --help" ;;
	snapshot) options="-P -h --help" ;;
	export) options="--csv --json --jsonl --chrome --perfetto --folded --svg --weight -i -o --since --until --around -F --cpu --pid --tid --comm --context -h --help" ;;
	top) options="-l -n -P --tid --cgroup -c -M -b -h --help" ;;
	stat) options="-l -n -P --tid --cgroup -F -c -M -b -i -o --since --until --around --time --hist --prometheus --interval -h --help" ;;
	events) options="-l -n --all --none -h --help" ;;
	diff) options="--per --limit --svg -o --since --until --around -F --cpu --pid --tid --comm --context -h --help" ;;
	audit) options="--time -l -n -P --tid --cgroup -F -c -M -C -b --irqs-off --preempt-off --fail-on --baseline --update --json -h --help" ;;
	assert) options="--never --always --max --max-time -P --tid --cgroup -F -c -M -C -b -i --ktap --json -h --help" ;;
	livepatch) options="--why --watch --record --patch -l -b -o -h --help" ;;
	*) options="-h --help" ;;
	esac
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
	*)
		case $command in
		record | stat | audit | assert | livepatch) mapfile -t COMPREPLY < <(compgen -cf -- "$cur") ;;
		top | status | snapshot | events | doctor | bench) ;;
		*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		esac ;;
	esac
}
complete -o filenames -F _nestrace nestrace

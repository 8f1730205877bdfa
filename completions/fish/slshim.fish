# Completion of slshim for fish, by what the command itself tells: see src/cmd/completion.c.

function __slshim_command
    set -l words (commandline -opc)
    if contains -- -- $words
        echo another
    else if not set -q words[2]
        echo (commandline -ct | string match -q -- '-*'; and echo run)
    else if string match -q -- '-*' $words[2]
        echo run
    else
        echo $words[2]
    end
end

function __slshim_after_dashes
    set -l words (commandline -opc) (commandline -ct)
    set -l at (contains -i -- -- $words)
    set -e words[1..$at]
    complete -C "$words"
end

function __slshim_pids
    string match -qr '^-' -- (commandline -ct); or __fish_complete_pids
end

complete -c slshim -f
complete -c slshim -n 'test (__slshim_command) = another' -a '(__slshim_after_dashes)'
for line in (slshim completion 2>/dev/null)
    set -l part (string split \t -- $line)
    set -l is "test (__slshim_command) = $part[1]"
    set -l values
    test "$part[4]" = -; or set values -a "$part[4]"
    set -l name (string replace -r '^--?' '' -- $part[2])
    set -l long -l
    string match -qr '^--' -- $part[2]; or set long -s
    complete -c slshim -n 'test -z (__slshim_command)' -a $part[1]
    switch "$part[2]$part[3]"
        case -pid
            complete -c slshim -n $is -a '(__slshim_pids)'
        case -command
            test $part[1] = run; or complete -c slshim -n $is -a '(__fish_complete_command)'
        case '*none'
            complete -c slshim -n $is $long $name -d "$part[5]"
        case '*file'
            complete -c slshim -n $is $long $name -r -F $values -d "$part[5]"
        case '*value'
            complete -c slshim -n $is $long $name -x $values -d "$part[5]"
    end
end

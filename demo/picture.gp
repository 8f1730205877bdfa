# The picture of the demo: gnuplot -c picture.gp png|characters DIRECTORY LIMIT ABOUT WITHOUT WITH
# DIRECTORY has the data, LIMIT is in MB, and the others are words about both servers and each.
directory = ARG2
limit = ARG3 + 0

without_all = directory . '/without.all'
with_all = directory . '/with.all'
stats without_all using 2 nooutput name 'largest'
stats without_all using 3 nooutput name 'total'
stats with_all using 3 nooutput name 'held'
stats with_all using 1 nooutput name 'time'
stats directory . '/without.slowest' using 2 nooutput name 'slow'
stats directory . '/with.slowest' using 2 nooutput name 'held_slow'
set xrange [0:time_max]
set yrange [0:largest_max * 1.15]

if (ARG1 eq 'characters') {
    set terminal dumb size 79,20
    set title 'Largest worker, MB: * without slshim, # with slshim, . the limit'
    set xlabel 'seconds'
    set key off
    plot without_all using 1:2 with points pt '*', limit with points pt '.', \
         with_all using 1:2 with points pt '#'
    exit
}

# Tones in the middle, which can be read on a light and on a dark page.
words = '#7d8590'
without_color = '#db8c2e'
with_color = '#2f81f7'
line = '#e5484d'

set terminal pngcairo enhanced transparent size 1240,760 font 'DejaVu Sans,15' linewidth 1.5
set output directory . '/demo.png'
set border 3 lc rgb words lw 0.7
set tics nomirror scale 0.5 textcolor rgb words
set grid ytics lc rgb words lt 1 lw 0.2
set key off
set style fill transparent solid 0.12 noborder
set multiplot
set label 1 ARG4 at screen 0.515, 0.965 center noenhanced textcolor rgb words font ',16'

# Left above, right above, left below, right below.
set tmargin at screen 0.85
set bmargin at screen 0.53
set lmargin at screen 0.06
set rmargin at screen 0.495
set label 2 'Unshared memory of each worker, MB' at graph 0, 1.08 textcolor rgb words font ',14'
set label 3 '{/:Bold without slshim}' at graph 0.03, 0.92 textcolor rgb without_color font ',17'
set label 4 ARG5 at graph 0.03, 0.81 textcolor rgb words font ',13'
plot directory . '/without.workers' using 1:2 with lines lc rgb without_color
unset label 1

set lmargin at screen 0.55
set rmargin at screen 0.98
set label 3 '{/:Bold with slshim}' at graph 0.03, 0.92 textcolor rgb with_color font ',17'
set label 4 ARG6 at graph 0.03, 0.81 textcolor rgb words font ',13'
set label 5 sprintf('SL\_MAX\_UNSHARED=%dM', limit) at graph 0.99, first limit \
    right offset 0, 0.7 textcolor rgb line font ',13'
plot directory . '/with.workers' using 1:2 with lines lc rgb with_color, \
     limit with lines dt 2 lc rgb line
unset label 3
unset label 4
unset label 5

set tmargin at screen 0.40
set bmargin at screen 0.10
set lmargin at screen 0.06
set rmargin at screen 0.495
set xlabel 'seconds' offset 0, 0.4 textcolor rgb words
set yrange [0:total_max * 1.08]
set ytics 100
set label 2 'Memory of each server, all processes together, MB' at graph 0, 1.08
plot without_all using 1:3 with filledcurves y1=0 lc rgb without_color, \
     with_all using 1:3 with filledcurves y1=0 lc rgb with_color, \
     without_all using 1:3 with lines lw 1.6 lc rgb without_color, \
     with_all using 1:3 with lines lw 1.6 lc rgb with_color, \
     without_all every ::total_records - 1 using 1:3:(sprintf('%.0f MB', $3)) \
         with labels right offset -0.5, -1.6 font ',13' textcolor rgb without_color, \
     with_all every ::held_records - 1 using 1:3:(sprintf('%.0f MB', $3)) \
         with labels right offset -0.5, 1 font ',13' textcolor rgb with_color

set lmargin at screen 0.55
set rmargin at screen 0.98
set ytics autofreq
set yrange [0:(slow_max > held_slow_max ? slow_max : held_slow_max) * 1.08]
set label 2 'Slowest answer in each second, ms' at graph 0, 1.08
plot directory . '/without.slowest' with steps lw 1.6 lc rgb without_color, \
     directory . '/with.slowest' with steps lw 1.6 lc rgb with_color
unset multiplot

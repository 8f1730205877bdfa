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
set xrange [0:time_max]
set yrange [0:largest_max * 1.08]

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
without = '#db8c2e'
with = '#2f81f7'
line = '#e5484d'

set terminal pngcairo enhanced transparent size 1240,760 font 'DejaVu Sans,15' linewidth 1.5
set output directory . '/demo.png'
set border 3 lc rgb words lw 0.7
set tics nomirror scale 0.5 textcolor rgb words
set grid ytics lc rgb words lt 1 lw 0.2
set key off
set multiplot
set lmargin at screen 0.06
set rmargin at screen 0.495

set label 1 ARG4 at screen 0.5, 0.965 center noenhanced textcolor rgb words font ',16'
set label 2 'Unshared memory of each worker, MB' at screen 0.01, 0.90 textcolor rgb words font ',14'
set label 3 'Memory of all processes of each server together, MB' at screen 0.01, 0.42 textcolor rgb words font ',14'
set tmargin at screen 0.86
set bmargin at screen 0.52
set label 4 '{/:Bold without slshim}' at graph 0.03, 0.93 textcolor rgb without font ',17'
set label 5 ARG5 at graph 0.03, 0.83 textcolor rgb words font ',13'
plot directory . '/without.workers' using 1:2 with lines lc rgb without
unset label 1
unset label 2
unset label 3

set lmargin at screen 0.535
set rmargin at screen 0.97
set format y ''
set label 4 '{/:Bold with slshim}' at graph 0.03, 0.93 textcolor rgb with font ',17'
set label 5 ARG6 at graph 0.03, 0.83 textcolor rgb words font ',13'
set label 6 sprintf('SL\_MAX\_UNSHARED=%dM', limit) at graph 0.99, first limit right offset 0, 0.7 textcolor rgb line font ',13'
plot directory . '/with.workers' using 1:2 with lines lc rgb with, limit with lines dt 2 lc rgb line
unset label 4
unset label 5
unset label 6

set tmargin at screen 0.38
set bmargin at screen 0.10
set lmargin at screen 0.06
set yrange [0:total_max * 1.1]
set ytics 100
set format y '%g'
set xlabel 'seconds' offset 0, 0.4 textcolor rgb words
set style fill transparent solid 0.12 noborder
plot without_all using 1:3 with filledcurves y1=0 lc rgb without, \
     with_all using 1:3 with filledcurves y1=0 lc rgb with, \
     without_all using 1:3 with lines lw 1.6 lc rgb without, \
     with_all using 1:3 with lines lw 1.6 lc rgb with, \
     without_all every ::total_records - 1 using 1:3:(sprintf('%.0f MB', $3)) \
         with labels right offset -0.5, -1.4 font ',13' textcolor rgb without, \
     with_all every ::held_records - 1 using 1:3:(sprintf('%.0f MB', $3)) \
         with labels right offset -0.5, 1 font ',13' textcolor rgb with
unset multiplot

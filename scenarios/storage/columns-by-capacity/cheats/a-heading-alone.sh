# score: 0
# The first line is right.
echo 'NAME CAPACITY' > /home/candidate/volumes.txt

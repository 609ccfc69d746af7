# score: 0
# It is all in there somewhere.
kubectl get pv -o wide > /home/candidate/volumes.txt

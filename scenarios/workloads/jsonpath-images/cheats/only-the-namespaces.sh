# score: 0
# Sorted it is, and that is all.
kubectl get pods -A -l audit="$AUDIT" --sort-by=.metadata.namespace --no-headers -o custom-columns=NS:.metadata.namespace > /home/candidate/images.txt

"""Who is at the other end of the control socket: the same word of the kernel that the fence agent goes by."""

from guardian.fence.peers import NOBODY, Peer, Right, peer_of

__all__ = ["NOBODY", "Peer", "Right", "peer_of"]

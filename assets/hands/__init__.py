"""Drawings by many hands, as tables of points: ../hand.py says who draws, ../draw_hands.py what for."""

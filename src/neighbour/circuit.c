/* See circuit.h. */
#include "neighbour/circuit.h"

bool circuit_admits(struct circuit *circuit, utime now)
{
	/* A clock that was set back must not make the pause any longer. */
	bool pauses = now < circuit->until && now >= circuit->until - circuit->pause;

	if (!circuit_is_open(circuit))
		return true;
	if (pauses || circuit->trying)
		return false;
	circuit->trying = true;
	return true;
}

void circuit_tell(struct circuit *circuit, utime now, bool good)
{
	bool was_open = circuit_is_open(circuit);

	circuit->trying = false;
	if (good) {
		*circuit = (struct circuit){0};
		return;
	}
	if (circuit->failures < CIRCUIT_FAILURES)
		circuit->failures++;
	if (!circuit_is_open(circuit))
		return;
	circuit->pause = was_open ? circuit->pause * 2 : CIRCUIT_PAUSE;
	if (circuit->pause > CIRCUIT_PAUSE_MAX)
		circuit->pause = CIRCUIT_PAUSE_MAX;
	circuit->until = now + circuit->pause;
}

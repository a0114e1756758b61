#pragma once
#include "engine.h"
#include "simd.h"

// The dequantised weights of four packed channels for one tap and input channel; zero for padding.
Vec weights_of_quad(const Engine *e, const Op *op, int quad, int tap, int in);

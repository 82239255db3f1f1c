// The door to libjpeg-turbo, by its TurboJPEG interface.
#pragma once
#include <turbojpeg.h>

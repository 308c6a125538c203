#ifndef KD_REGISTER_WORK_H
#define KD_REGISTER_WORK_H
#endif

# -*- coding: utf-8 -*-
import numpy as np
np.random.seed(0)

# 学習データ (입력)
データ = np.random.randn(6, 3)
目標 = np.random.randn(6, 1)
重み = np.random.randn(3, 1)
for 回 in range(4):
	出力 = np.dot(データ,
	              重み)
	誤差 = 出力 \
	       - 目標
	loss = (誤差 ** 2).sum() ; 勾配 = データ.T.dot(
		2 * 誤差
	)
	重み -= 0.02 * 勾配
print('損失', round(loss, 6))

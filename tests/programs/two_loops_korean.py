import numpy as np

np.random.seed(3)
N = 4 # 클래스당 점의 개수
D = 2 # 차원
K = 3 # 클래스 개수

X = np.zeros((N*K, D)) # 데이터 행렬 (한 행 = 예제 하나)
y = np.zeros(N*K, dtype='uint8')
for j in range(K):
  ix = range(N*j, N*(j+1))
  r = np.linspace(0.0, 1, N) # 반지름
  t = np.linspace(j*4, (j+1)*4, N) + np.random.randn(N)*0.2 # 각도
  X[ix] = np.c_[r*np.sin(t), r*np.cos(t)]
  y[ix] = j

# 선형 분류기
W = 0.1 * np.random.randn(D, K)
b = np.zeros((1, K))
step_size = 0.5
reg = 1e-3 # 정규화 강도
num_examples = X.shape[0]
for i in range(30):
  scores = np.dot(X, W) + b
  exp_scores = np.exp(scores) # 지수
  probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
  logprobs = -np.log(probs[range(num_examples), y])
  data_loss = np.sum(logprobs)/num_examples
  reg_loss = 0.5*reg*np.sum(W*W)
  loss = data_loss + reg_loss

  dscores = probs
  dscores[range(num_examples), y] -= 1
  dscores /= num_examples
  dW = np.dot(X.T, dscores)
  db = np.sum(dscores, axis=0, keepdims=True)
  dW += reg*W # 정규화 항의 기울기

  W += -step_size * dW
  b += -step_size * db

# 은닉층을 하나 더한 신경망: 같은 이름을 다시 쓴다
h = 6
W = 0.1 * np.random.randn(D, h)
b = np.zeros((1, h))
W2 = 0.1 * np.random.randn(h, K)
b2 = np.zeros((1, K))
for i in range(30):
  hidden_layer = np.maximum(0, np.dot(X, W) + b)
  scores = np.dot(hidden_layer, W2) + b2
  exp_scores = np.exp(scores)
  probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
  logprobs = -np.log(probs[range(num_examples), y])
  data_loss = np.sum(logprobs)/num_examples
  reg_loss = 0.5*reg*np.sum(W*W) + 0.5*reg*np.sum(W2*W2)
  loss = data_loss + reg_loss

  dscores = probs
  dscores[range(num_examples), y] -= 1
  dscores /= num_examples
  dW2 = np.dot(hidden_layer.T, dscores)
  db2 = np.sum(dscores, axis=0, keepdims=True)
  dhidden = np.dot(dscores, W2.T)
  dhidden[hidden_layer <= 0] = 0
  dW = np.dot(X.T, dhidden)
  db = np.sum(dhidden, axis=0, keepdims=True)
  dW2 += reg * W2
  dW += reg * W

  W += -step_size * dW
  b += -step_size * db
  W2 += -step_size * dW2
  b2 += -step_size * db2
